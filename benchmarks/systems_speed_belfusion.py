"""The original BeLFusion's passes, for `benchmarks/systems_speed_original.py`.

Its configuration files say the sizes, its model and its losses do the work. Steps are those of its
training, mistakes included: no face coefficients are loaded (B11), and windows begin in the first
two seconds of a clip (B13).
"""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from model import losses  # pyright: ignore[reportMissingImports]
from model.belfusion import matchers  # pyright: ignore[reportMissingImports]
from model.belfusion.rnn import AutoencoderRNN_VAE_v2  # pyright: ignore[reportMissingImports]
from side_by_side import Stages
from systems_speed_original import loaded_or_saved
from systems_speed_workload import (
    BELFUSION_WINDOW,
    EMOTION,
    FEATURES,
    NOISE,
    SIZES,
    normal,
    windows,
)

RELEASED = SIZES["released"]
CONFIGS = {"vae": "1_belfusion_vae.yaml", "ldm": "2_belfusion_ldm.yaml"}
"""In the original's folder `config`."""

Pass = Callable[[Stages, int], dict[str, Any]]


class Named(dict[str, Any]):
    """A mapping whose values are attributes too."""

    __getattr__ = dict[str, Any].__getitem__


def _named(value: Any) -> Any:
    return Named({k: _named(v) for k, v in value.items()}) if isinstance(value, dict) else value


def _read(path: Path | str) -> Named:
    return _named(yaml.safe_load(Path(path).read_text()))


def build(job: str, checkout: Path, folder: Path, clips: int, crop: int) -> Pass:
    """The worker's passes of one of the jobs."""
    for name, file in CONFIGS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(checkout / "config" / file, folder / name / "config.yaml")
    config, path = _read(folder / "vae" / "config.yaml"), folder / "vae" / "checkpoint_999.pth"
    vae = AutoencoderRNN_VAE_v2(config.arch.args)
    known = {"min": -1.0, "max": 1.0, "mean": 0.0, "std": 1.0, "var": 1.0}
    statistics = {name: torch.full((FEATURES,), value) for name, value in known.items()}
    loaded_or_saved(vae, path, statistics=statistics)
    if job == "belfusion-vae-step":
        return _steps(vae, config)
    matchers.load_config_from_file = _read
    config = _read(folder / "ldm" / "config.yaml")
    model = matchers.LatentMLPMatcher(Named(config.arch.args | {"emb_emotion_path": str(path)}))
    loaded_or_saved(model.model, folder / "ldm" / "checkpoint_99.pth")
    return _steps(model, config) if job == "belfusion-denoiser-step" else _reactions(model)


def _reactions(model: Any) -> Pass:
    """All samples in one batch, as its validation makes them."""
    frames, samples = RELEASED.frames, RELEASED.samples
    speaker = torch.from_numpy(normal(EMOTION, 1, frames, 25)).repeat(samples, 1, 1)
    number = windows(frames, BELFUSION_WINDOW)
    noise = torch.from_numpy(normal(NOISE, 1, samples, number, FEATURES)).reshape(-1, FEATURES)
    drawing = model.diffusion.ddim_sample_loop_progressive
    model.diffusion.ddim_sample_loop_progressive = partial(drawing, noise=noise)
    model.eval()

    @torch.no_grad()
    def one_pass(stages: Stages, threads: int) -> dict[str, Any]:
        torch.set_num_threads(threads)
        made = stages.timed(
            "pass", lambda: model(speaker_emotion=speaker, listener_emotion=speaker)
        )
        emotion, coeffs = (made[name][:, ::25] for name in ("prediction", "3dmm_coeff"))
        return {"emotion": emotion.tolist(), "coeffs": coeffs.tolist()}

    return one_pass


def _steps(model: Any, config: Named) -> Pass:
    rows, frames = RELEASED.batch, RELEASED.frames
    listener = torch.from_numpy(normal(EMOTION, rows, frames, 25))
    speaker = torch.from_numpy(normal(NOISE, rows, frames, 25))
    given = {"speaker_emotion": speaker, "listener_emotion": listener}
    given["listener_3dmm"] = torch.zeros(rows, dtype=torch.int64)  # what its loader gives (B11)
    criterion = partial(getattr(losses, config.loss.type), **_numbers(config.loss.args))
    optimizer = torch.optim.AdamW(
        model.parameters(),
        betas=(0.9, 0.999),
        lr=float(config.optimizer.lr),
        weight_decay=float(config.optimizer.weight_decay),
    )
    first = None
    if isinstance(model, AutoencoderRNN_VAE_v2):
        model.eval()
        with torch.no_grad():
            first = criterion(**model(**given))["loss"].item()

    def step() -> None:
        optimizer.zero_grad()
        criterion(**model(**given))["loss"].backward()
        optimizer.step()

    model.train()

    def one_pass(stages: Stages, threads: int) -> dict[str, Any]:
        torch.set_num_threads(threads)
        stages.timed("pass", step)
        return {"loss": first}

    return one_pass


def _numbers(given: dict[str, Any]) -> dict[str, Any]:
    """YAML takes 5e-4 for a word."""
    return {k: float(v) if isinstance(v, str) else v for k, v in given.items()}
