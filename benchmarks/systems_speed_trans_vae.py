"""The original Trans-VAE's passes, for `benchmarks/systems_speed_original.py`.

Its evaluation cannot run as shipped (B1) and its training reads files, so that both are written
anew here around its model, its losses and torch's optimizer.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from model.losses import VAELoss, div_loss  # pyright: ignore[reportMissingImports]
from model.TransformerVAE import TransformerVAE  # pyright: ignore[reportMissingImports]
from side_by_side import Stages
from systems_speed_original import loaded_or_saved
from systems_speed_workload import (
    CEPSTRA,
    COEFFS,
    EMOTION,
    FEATURES,
    HELD_OUT,
    NOISE,
    SIZES,
    WINDOW,
    normal,
    pictures,
    windows,
)

CHECKPOINT = "best_checkpoint.pth"
KL_WEIGHT, DIVERSITY_WEIGHT, RATE, DECAY = 1e-5, 10.0, 1e-5, 5e-4
"""Of the published command."""
RELEASED = SIZES["released"]

Pass = Callable[[Stages, int], dict[str, Any]]


def build(job: str, checkout: Path, folder: Path, clips: int, crop: int) -> Pass:
    """The worker's passes of one of the jobs."""
    model = loaded_or_saved(
        TransformerVAE(online=True, window_size=WINDOW), folder / "trans-vae" / CHECKPOINT
    )
    return _step(model, clips, crop) if job == "trans-vae-step" else _reaction(model)


def _seen(clips: int, frames: int) -> torch.Tensor:
    """(clips, frames, 3, side, side) in [-1, 1], as the original's loader gives pictures."""
    made = torch.from_numpy(pictures(clips, frames, RELEASED.side)).permute(0, 1, 4, 2, 3)
    return made.to(torch.float32, memory_format=torch.contiguous_format).div_(127.5).sub_(1)


def _drawing(model: Any, noise: torch.Tensor) -> None:
    """Lets the latents be drawn with the noise that is given, (clips, windows, features)."""
    each: Iterator[torch.Tensor] = iter(noise.unbind(1))
    model.reaction_decoder.vae_model.sample_from_distribution = lambda distribution: (
        distribution.loc + distribution.scale * next(each)
    )


def _reaction(model: Any) -> Pass:
    """One of the samples."""
    frames, number = RELEASED.frames, windows(RELEASED.frames, WINDOW)
    video, audio = _seen(1, frames), torch.from_numpy(normal(CEPSTRA, 1, frames, 78))
    noise = torch.from_numpy(normal(NOISE, 1, RELEASED.samples, number, FEATURES))
    model.eval()

    @torch.no_grad()
    def one_pass(stages: Stages, threads: int) -> dict[str, Any]:
        torch.set_num_threads(threads)
        _drawing(model, noise[:, 0])
        coeffs, emotion, _ = stages.timed("pass", lambda: model(video, audio))
        return {"coeffs": coeffs[0, ::10].tolist(), "emotion": emotion[0, ::10].tolist()}

    return one_pass


def _step(model: Any, clips: int, frames: int) -> Pass:
    video, audio = _seen(clips, frames), torch.from_numpy(normal(CEPSTRA, clips, frames, 78))
    coeffs = torch.from_numpy(normal(COEFFS, clips, frames, 58))
    emotion = torch.from_numpy(normal(EMOTION, clips, frames, 25))
    criterion = VAELoss(KL_WEIGHT)
    optimizer = torch.optim.AdamW(
        model.parameters(), betas=(0.9, 0.999), lr=RATE, weight_decay=DECAY
    )

    @torch.no_grad()
    def loss_of_the_beginning() -> float:
        """Without dropout and the comparison of two samples."""
        first = (slice(1), slice(HELD_OUT))
        drawn, own = model.reaction_decoder.vae_model, "sample_from_distribution"
        _drawing(model, torch.from_numpy(normal(NOISE, 1, HELD_OUT // WINDOW, FEATURES)))
        face, felt, found = model.eval()(video[first], audio[first])
        delattr(drawn, own)
        model.train()
        return criterion(emotion[first], coeffs[first], felt, face, found)[0].item()

    def step() -> None:
        optimizer.zero_grad()
        face, felt, found = model(video, audio)
        loss = criterion(emotion, coeffs, felt, face, found)[0]
        with torch.no_grad():
            other_face, other_felt, _ = model(video, audio)
        alike = div_loss(other_face, face) + div_loss(other_felt, felt)
        (loss + DIVERSITY_WEIGHT * alike).backward()
        optimizer.step()

    first = loss_of_the_beginning()

    def one_pass(stages: Stages, threads: int) -> dict[str, Any]:
        torch.set_num_threads(threads)
        stages.timed("pass", step)
        return {"loss": first}

    return one_pass
