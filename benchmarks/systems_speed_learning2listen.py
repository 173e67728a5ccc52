"""The original Learning2Listen's passes, for `benchmarks/systems_speed_original.py`.

The loop is its own test script's, given one clip ten times in one batch; reading, smoothing and
saving are left out.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from side_by_side import Stages
from systems_speed_original import loaded_or_saved
from systems_speed_workload import MOTION, SIZES, SOUND, normal

RELEASED = SIZES["released"]
WINDOW, PATCH, CODES, DECA, BANDS = 32, 8, 4, 56, 128
CHECKPOINT, STATISTICS = "l2l_best.pth", "l2l_preprocess_core.npz"

Pass = Callable[[Stages, int], dict[str, Any]]


class ZeroPadded(torch.nn.ConvTranspose1d):
    """torch knows no other, and refuses the word (L5)."""

    def __init__(self, *arguments: Any, padding_mode: str = "zeros", **options: Any):
        super().__init__(*arguments, **options)


def _statistics(folder: Path) -> None:
    """Of data that is normalised already."""
    widths = {"X": DECA, "Y": DECA, "audio": BANDS}
    made = {f"body_mean_{name}": np.zeros((1, 1, n), np.float32) for name, n in widths.items()}
    made |= {f"body_std_{name}": np.ones((1, 1, n), np.float32) for name, n in widths.items()}
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / STATISTICS, **made)  # pyright: ignore[reportArgumentType]


def build(job: str, checkout: Path, folder: Path, clips: int, crop: int) -> Pass:
    """The worker's passes."""
    torch.nn.ConvTranspose1d = ZeroPadded
    import test_vq_decoder as script  # pyright: ignore[reportMissingImports]

    config = json.loads((checkout / "src" / "configs" / "vq" / "delta_v6.json").read_text())
    vq_config = json.loads((checkout / "src" / config["l_vqconfig"]).read_text())
    options = SimpleNamespace(sample_idx=None)
    coder = script.setup_vq_transformer(options, vq_config, test=True)[0]
    listener = script.setup_model(config, vq_config, mask_index=0, test=True)[0]
    for name, model in (("vqvae", coder), ("predictor", listener)):
        _statistics(folder / name)
        more = {"config": "", "optimizer": {"optimizer": {}, "n_steps": 0}}
        loaded_or_saved(model, folder / name / CHECKPOINT, **more).eval()
    frames = RELEASED.listening_frames
    motion, sound = normal(MOTION, 1, frames, DECA), normal(SOUND, 1, 4 * frames, BANDS)
    speaker, audio = (np.repeat(x, RELEASED.samples, axis=0) for x in (motion, sound))
    answer = partial(script.run_model, options, config, coder, listener)
    seen: dict[str, list[Any]] = {}
    if job == "learning2listen":  # "corrected" computes something else
        seen = _seen(coder, listener, torch.from_numpy(motion), torch.from_numpy(sound))

    def one_pass(stages: Stages, threads: int) -> dict[str, Any]:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        stages.timed("pass", lambda: answer(speaker, speaker.copy(), audio, WINDOW, PATCH))
        return seen

    return one_pass


@torch.no_grad()
def _seen(
    coder: Any, listener: Any, motion: torch.Tensor, sound: torch.Tensor
) -> dict[str, list[Any]]:
    """What both sides compute alike: codes of the beginning, their motion, the next code's
    logits."""
    quantised, codes = coder.module.get_quant(motion[:, :WINDOW])
    codes = codes.reshape(1, CODES)
    shape = (1, quantised.shape[2], quantised.shape[1])
    decoded = coder.module.decode_to_img(codes, shape)
    reach = WINDOW + PATCH
    given = {"speaker_full": motion[:, :reach], "audio_full": sound[:, : 4 * reach]}
    logits = listener({**given, "listener_past": codes}, CODES, CODES)[:, 0]
    return {"codes": codes.tolist(), "decoded": decoded.tolist(), "logits": logits.tolist()}
