"""What FRC and FRD can be had from the speaker's emotion alone, without any model of faces.

    python benchmarks/learnability_bounds.py --out benchmarks/results/learnability_bounds.json

For the worlds that `benchmarks/learnability.py` has simulated (`--work`): predictors that see what
the speakers truly show, without a tokenizer, sound or sampling between. A trained model that comes
near them has little left to learn at this amount of data; a baseline beyond them says something
about the score.

- filter: each listener channel by least squares from all speaker channels of the last four seconds;
- filter, louder: the same with 1.3 times its deviations, since a mean is less lively than a face;
- mime, later: the speaker's own emotion after 1.44 s, the simulated listeners' usual delay;
- alike: listeners of the ten training speakers whose emotion over the clip is nearest;
- anybody: ten listeners of the training split;
- somebody who suits: another listener who is appropriate for the clip, and then is no neighbour.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import record
import tyro

from jaxreact import metrics
from jaxreact.commands import run_command
from jaxreact.data.conversations import open_conversations
from jaxreact.data.layout import EMOTION
from jaxreact.errors import UserError

FRAMES, SAMPLES = 736, 10
LAGS = range(0, 100, 8)
DELAY = 36
LOUDER = 1.3


@dataclass(frozen=True)
class Config:
    """Where the worlds are."""

    work: Path = Path("runs/learnability")
    preset: str = "demo"
    seeds: int = 3
    out: Path | None = None


def emotions(root: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Speakers' and listeners' emotion of a split, (clips, frames, 25) each."""
    source = open_conversations(root)
    dyads = source.dyads(split, modalities=(EMOTION,))
    sides = ([getattr(dyad, role) for dyad in dyads] for role in ("speaker", "listener"))
    speakers, listeners = (
        np.stack([source.emotion(clip)[:FRAMES] for clip in side]) for side in sides
    )
    return speakers, listeners


def delayed(x: np.ndarray, frames: int) -> np.ndarray:
    """The first frame stands still until the rest has come."""
    start = np.repeat(x[:, :1], frames, axis=1)
    return np.concatenate([start, x[:, : x.shape[1] - frames]], axis=1)


def past(x: np.ndarray) -> np.ndarray:
    """Every frame's channels at all lags, and a one."""
    columns = [delayed(x, lag) for lag in LAGS]
    return np.concatenate([*columns, np.ones_like(x[..., :1])], axis=-1)


def filtered(seen: np.ndarray, shown: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """What least squares on the training split says of other speakers."""
    inputs, targets = past(seen), shown.reshape(-1, shown.shape[-1])
    weights = np.linalg.lstsq(inputs.reshape(-1, inputs.shape[-1])[::3], targets[::3], rcond=1e-6)
    return (past(speakers) @ weights[0]).astype(np.float32)


def nearest(seen: np.ndarray, speakers: np.ndarray) -> np.ndarray:
    """Indices (clips, 10) of the training speakers most alike, by third-second means."""

    def coarse(x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), FRAMES // 8, 8, -1).mean(axis=2).reshape(len(x), -1)

    one, other = coarse(speakers), coarse(seen)
    distances = np.square(one[:, None] - other[None]).sum(axis=-1)
    return np.argsort(distances, axis=1)[:, :SAMPLES]


def suiting(
    listeners: np.ndarray, matrix: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One appropriate listener of each clip, (clips, 1, frames, 25), and the matrix without them.

    A clip that has no other than its own is left without neighbours.
    """
    chosen, rest = np.zeros((len(matrix), 1, *listeners.shape[1:]), np.float32), matrix.copy()
    for clip, row in enumerate(matrix):
        others = np.setdiff1d(np.flatnonzero(row), clip)
        if len(others):
            other = rng.choice(others)
            chosen[clip], rest[clip, other] = listeners[other], 0
        else:
            rest[clip] = 0
    return chosen, rest


def world(root: Path, seed: int) -> dict[str, dict[str, float]]:
    """FRC and FRD of each predictor, as sums over ten samples."""
    (seen, shown), (speakers, listeners) = emotions(root, "train"), emotions(root, "val")
    matrix = open_conversations(root).neighbours("val", len(speakers))
    by_filter = filtered(seen, shown, speakers)
    centre = by_filter.mean(axis=(0, 1))
    rng = np.random.default_rng(seed)
    anybody = rng.integers(0, len(shown), (len(speakers), SAMPLES))
    made = {
        "filter": by_filter[:, None],
        "filter, louder": (centre + LOUDER * (by_filter - centre))[:, None],
        "mime": speakers[:, None],
        "mime, later": delayed(speakers, DELAY)[:, None],
        "alike": shown[nearest(seen, speakers)],
        "anybody": shown[anybody],
    }

    def scores(predictions: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        factor = SAMPLES / predictions.shape[1]
        return factor * np.array(
            [f(predictions, listeners, matrix) for f in (metrics.frc, metrics.frd)]
        )

    found = {name: scores(x, matrix) for name, x in made.items()}
    draws = [scores(*suiting(listeners, matrix, rng)) for _ in range(SAMPLES)]
    found["somebody who suits"] = np.mean(draws, axis=0)
    return {
        name: dict(zip(("FRC", "FRD"), each.tolist(), strict=True)) for name, each in found.items()
    }


def main() -> None:
    """Prints (and writes) a JSON object."""
    config = tyro.cli(Config, description=__doc__)
    roots = [config.work / config.preset / f"seed_{seed}" / "data" for seed in range(config.seeds)]
    if missing := [str(root) for root in roots if not (root / "val.csv").is_file()]:
        raise UserError(f"{missing[0]}: no data; run benchmarks/learnability.py first")
    worlds = [world(root, seed) for seed, root in enumerate(roots)]
    mean = {
        name: {score: round(float(np.mean([w[name][score] for w in worlds])), 2) for score in of}
        for name, of in worlds[0].items()
    }
    result = {
        "command": f"python benchmarks/learnability_bounds.py --seeds {config.seeds}",
        "what": f"means over {config.seeds} worlds, sums over {SAMPLES} samples",
        "mean": mean,
        "worlds": worlds,
    }
    record.write(result, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
