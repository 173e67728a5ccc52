"""PyTorch's half of `benchmarks/face_generator.py`: a worker that makes a clip's pictures.

    python benchmarks/face_generator_torch.py contiguous|channels_last BATCH FRAMES

The tests' plain network, eager, in `torch.inference_mode`.
"""

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from face_generator_workload import clip, one_pass
from side_by_side import CORES, serve

from jaxreact.rendering.pirender.photoreal import windows
from tests.rendering.pirender.reference import generate

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


def render(
    state: dict[str, torch.Tensor], portrait: torch.Tensor, coeffs: np.ndarray, batch: int
) -> Iterator[np.ndarray]:
    """Yields RGB pictures (224, 224, 3)."""
    for first in range(0, len(coeffs), batch):
        frames = np.arange(first, min(first + batch, len(coeffs)))
        window = windows(coeffs, frames).swapaxes(1, 2)
        images = portrait.expand(len(window), -1, -1, -1)
        with torch.inference_mode():
            fake = generate(state, images, torch.from_numpy(window.copy()).to(DEVICE))[2]
            pictures = ((fake * 0.5 + 0.5) * 255).clip(0, 255).to(torch.uint8)
            made = pictures.permute(0, 2, 3, 1).cpu().numpy()
        yield from made


def gigaflops(state: dict[str, torch.Tensor], portrait: torch.Tensor, coeffs: np.ndarray) -> float:
    """Multiplications and additions of one picture's convolutions and products, in 1e9."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        next(render(state, portrait, coeffs, 1))
    return counter.get_total_flops() / 1e9


def main() -> None:
    """Serves passes, after a first one that sets up what the libraries keep."""
    layout, batch, frames = FORMATS[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(CORES)
    tensors, picture, coeffs = clip(frames)

    def placed(array: np.ndarray) -> torch.Tensor:
        tensor = torch.from_numpy(array).to(DEVICE)
        return tensor.contiguous(memory_format=layout) if tensor.ndim == 4 else tensor

    state = {name: placed(tensor) for name, tensor in tensors.items()}
    portrait = placed(np.ascontiguousarray(picture.transpose(2, 0, 1))[None])
    make = partial(render, state, portrait, coeffs, batch)
    for _ in make():
        pass
    versions: dict[str, Any] = {"torch": str(torch.__version__)}
    versions["gigaflops_a_frame"] = gigaflops(state, portrait, coeffs)
    serve(partial(one_pass, make), versions)


if __name__ == "__main__":
    main()
