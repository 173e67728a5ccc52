"""Our half of `benchmarks/face_generator.py`: a worker that makes a clip's pictures when told to.

    python benchmarks/face_generator_ours.py float32|bfloat16|plain FRAMES

`plain` is the same network without any rewriting or sharing: portraits and windows in, pictures
out, as many at a time as `photoreal_frames` takes on the device.
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import jax
import jaxlib
import numpy as np
from face_generator_workload import clip, one_pass
from side_by_side import serve

from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.load import FaceGenerator
from jaxreact.rendering.pirender.photoreal import photoreal_frames, windows
from tests.rendering.pirender.weights import generator

Pictures = Iterator[np.ndarray]


def plain(model: FaceGenerator, portrait: np.ndarray, coeffs: np.ndarray) -> Pictures:
    """The network as it is written."""
    batch = 1 if jax.default_backend() == "cpu" else 16
    images = np.repeat(portrait[None], batch, axis=0)
    for first in range(0, len(coeffs), batch):
        fake = model(images, windows(coeffs, np.arange(first, first + batch))).fake
        yield from ((np.asarray(fake) * 0.5 + 0.5) * 255).clip(0, 255).astype(np.uint8)


def main() -> None:
    """Serves passes; what is compiled, is so before the first."""
    kind, frames = sys.argv[1], int(sys.argv[2])
    tensors, portrait, coeffs = clip(frames)
    model = FaceGenerator(generator(FaceGeneratorConfig(), tensors), {}, Path("random"))
    if kind == "plain":
        render = partial(plain, model, portrait, coeffs)
    else:
        render = partial(photoreal_frames, model, portrait, coeffs, dtype=kind)  # pyright: ignore[reportArgumentType]
    for _ in render():
        pass
    versions = {each.__name__: each.__version__ for each in (jax, jaxlib, np)}
    serve(partial(one_pass, render), versions | {"device": str(jax.devices()[0].device_kind)})


if __name__ == "__main__":
    main()
