"""How much livelier the face is that a system gives an extraverted listener, and people's.

    python -m jaxreact.data.simulate --layout mars --out runs/mars --split 96 8 24 --seconds 18
    python train_tokenizer.py demo --data runs/mars --out runs/persons/tokenizer --loop.epochs 25
    python train_predictor.py demo --data runs/mars --tokenizer runs/persons/tokenizer \
        --out runs/persons/predictor --model.traits --loop.epochs 60
    python benchmarks/persons.py --data runs/mars --run runs/persons/predictor \
        --out benchmarks/results/persons_cpu.json

Takes a system that was trained with listeners' traits and a split that it has not seen. To each
speaker it answers as a listener of each Extraversion, all other scores being 0.5, and as one of
whom nothing is known, always by the same keys. Liveliness is the mean absolute departure of a
frame's expression coefficients from the clip's own mean, so that a resting face does not count.
Beside it: by how much the recorded listeners' liveliness grows from 0 to 1, by least squares.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jax
import numpy as np
import record
import tyro
from jaxtyping import Float
from tqdm import tqdm

from jaxreact.commands import run_command
from jaxreact.data.mars.personality import BIG_FIVE
from jaxreact.data.split import Split, open_split
from jaxreact.data.traits import traits_of_listeners
from jaxreact.errors import UserError
from jaxreact.face import EXPRESSION
from jaxreact.systems.system import Speaker, System, faces, load

SCORES = (0.0, 0.5, 1.0)
_RESAMPLED = 10_000


@dataclass(frozen=True)
class Config:
    """What reacts to what."""

    data: Path
    """Root of MARS, or of simulated conversations in its layout."""
    run: Path
    """A system that was trained with traits."""
    split: Literal["val", "test"] = "test"
    samples: int = 10
    """Reactions to each clip."""
    frames: int = 256
    """Of each clip, from its first, at most."""
    out: Path | None = None
    """JSON file for the result."""


def liveliness(coeffs: Float[np.ndarray, "*clips frames 58"]) -> Float[np.ndarray, "*clips"]:
    """Mean absolute departure of expressions from their clip's own mean."""
    expressions = coeffs[..., EXPRESSION]
    return np.abs(expressions - expressions.mean(axis=-2, keepdims=True)).mean(axis=(-2, -1))


def answered(
    system: System, split: Split, config: Config, frames: int
) -> dict[str, Float[np.ndarray, "clips"]]:
    """Liveliness of the answers to each clip, mean over samples, by who answers."""
    whom: dict[str, float] = {f"{score:g}": score for score in SCORES} | {"unknown": np.nan}
    found: dict[str, list[float]] = {name: [] for name in whom}
    for number, dyad in enumerate(tqdm(split.dyads, "reacting", unit="clip", disable=None)):
        speaker = Speaker(
            split.data.coeffs(dyad.speaker)[None, :frames],
            split.data.waveform(dyad.speaker, 0, frames)[None],
        )
        key = jax.random.fold_in(jax.random.key(0), number)
        for name, score in whom.items():
            traits = np.array([score, *[0.5] * (len(BIG_FIVE) - 1)], np.float32)
            made = system.react(speaker, config.samples, key=key, traits=traits)
            found[name].append(float(liveliness(np.asarray(faces(system, made))[0]).mean()))
    return {name: np.array(rows) for name, rows in found.items()}


def interval(pairs: Float[np.ndarray, "clips 2"], sessions: Sequence[str]) -> list[float]:
    """95 % of the ratio of two means over clips, whose sessions are drawn again."""
    names, of_clip = np.unique(sessions, return_inverse=True)
    sums = np.stack([pairs[of_clip == session].sum(axis=0) for session in range(len(names))])
    draws = np.random.default_rng(0).integers(0, len(sums), (_RESAMPLED, len(sums)))
    drawn = sums[draws].sum(axis=1)
    return [round(float(x), 4) for x in np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5])]


def recorded(split: Split, frames: int) -> dict[str, float]:
    """How the recorded listeners' liveliness goes with their Extraversion, where that is known."""
    extraversion = traits_of_listeners(split.data, split.dyads)[:, 0]
    shown = liveliness(split.faces(frames)[0])
    known = np.isfinite(extraversion)
    slope, start = np.polyfit(extraversion[known], shown[known], 1)
    correlation = np.corrcoef(extraversion[known], shown[known])[0, 1]
    return {
        "listeners": int(known.sum()),
        "ratio of 1 to 0": round(float((start + slope) / start), 4),
        "correlation": round(float(correlation), 4),
    }


def main() -> None:
    """Parses the command line, measures and writes."""
    config, load_before = tyro.cli(Config, description=__doc__), os.getloadavg()[0]
    system, split = load(config.run), open_split(config.data, config.split)
    if "traits" not in system.options:
        raise UserError(f"{config.run}: {system.name} was not trained with traits")
    frames = split.common_frames(config.frames, system.frame_multiple)
    found = answered(system, split, config, frames)
    pairs = np.stack([found["1"], found["0"]], axis=1)
    record.write(
        {
            "clips": len(split.dyads),
            "frames": frames,
            "samples": config.samples,
            "liveliness": {name: round(float(rows.mean()), 5) for name, rows in found.items()},
            "ratio of 1 to 0": round(float(pairs[:, 0].mean() / pairs[:, 1].mean()), 4),
            "interval": interval(pairs, split.conversations),
            "recorded": recorded(split, frames),
            "machine": record.machine(load_before),
        },
        config.out,
    )


if __name__ == "__main__":
    run_command(main)
