"""FIBER learns from simulated listeners that the extraverted have the livelier face.

The simulator's own effect needs a hundred clips and minutes (`benchmarks/persons.py`): here the
departures of listeners' expressions from the mean face are made much larger or smaller by it.
"""

import csv
from pathlib import Path

import jax
import numpy as np
import pytest

import jaxreact
from jaxreact import Speaker
from jaxreact.data.conversations import open_conversations
from jaxreact.face import EXPRESSION
from jaxreact.simulation import SimulateConfig, simulate
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.fiber.train_predictor import train_predictor
from jaxreact.systems.fiber.train_tokenizer import train_tokenizer
from jaxreact.training.command import parse

pytestmark = pytest.mark.slow

FRAMES = 96
FACTORS = {"1": 0.2, "5": 2.0}
"""Extraversion, as tables have it -> what a listener's departures are multiplied by."""
QUICKLY = ("--loop.batch-size", 8, "--loop.optimizer.learning-rate", 3e-3)
TOKENIZER = ("--loop.epochs", 40, "--clip-frames", FRAMES, *QUICKLY)
PREDICTOR = (
    *("--loop.validate-every", 5, *QUICKLY),
    *("--model.n-embd", 32, "--model.init-std", 0.1, "--model.block-causal", "--model.traits"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """A folder with such conversations, `data`, and a tokenizer of them."""
    out = tmp_path_factory.mktemp("persons")
    simulate(SimulateConfig(out / "data", split=(24, 4, 8), layout="mars", seconds=8, workers=1))
    for split in ("train", "val", "test"):
        exaggerate(out / "data", split)
    train_tokenizer(parse(TOKENIZER_PRESETS, arguments(out, "tokenizer", *TOKENIZER)))
    return out


def arguments(world: Path, name: str, *more: object) -> list[str]:
    given = ("debug", "--data", world / "data", "--out", world / name, *more)
    return [str(argument) for argument in given]


def exaggerate(root: Path, split: str) -> None:
    """Makes every other listener wholly extraverted, the others not at all, and their faces so."""
    table = root / split / "personality" / "listener.csv"
    mean = np.load(root / "mean_face.npy").reshape(-1)[EXPRESSION]
    rows = list(csv.reader(table.open(encoding="utf-8-sig")))
    for number, row in enumerate(rows[1:]):
        row[2:] = ["15"[number % 2], "3", "3", "3", "3"]
        folder = root / split / "coefficients" / "listener" / row[1]
        path = folder / Path(row[0]).with_suffix(".npy")
        coeffs = np.load(path)
        face = coeffs[..., EXPRESSION]
        face[...] = mean + FACTORS[row[2]] * (face - mean)
        np.save(path, coeffs)
    with table.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows(rows)


def trained(world: Path, name: str, *more: object) -> Path:
    first = ("--tokenizer", world / "tokenizer")
    train_predictor(parse(PREDICTOR_PRESETS, arguments(world, name, *first, *PREDICTOR, *more)))
    return world / name


def liveliness(world: Path, run: Path) -> list[float]:
    """Of the least and of the most extraverted: mean absolute departure of expressions from the
    mean face, over reactions to the speakers of the test split, of whom no training has seen
    anything; by the same key."""
    data, system = open_conversations(world / "data"), jaxreact.load(run)
    speakers = [dyad.speaker for dyad in data.dyads("test")]
    coeffs = np.stack([data.coeffs(clip)[:FRAMES] for clip in speakers])
    sound = np.stack([data.waveform(clip, 0, FRAMES) for clip in speakers])
    speaker, found = Speaker(coeffs, sound), []
    for extraversion in (0.0, 1.0):
        traits = np.array([extraversion, 0.5, 0.5, 0.5, 0.5], np.float32)
        made = np.asarray(system.react(speaker, 4, key=jax.random.key(0), traits=traits).coeffs)
        found.append(float(np.abs(made - data.mean_face())[..., EXPRESSION].mean()))
    return found


def test_who_is_extraverted_has_the_livelier_face(world):
    """Ten times as lively in the data; twice will do. Whoever was trained with all traits hidden
    knows nothing of them, and answers alike."""
    quiet, lively = liveliness(world, trained(world, "told", "--loop.epochs", 20))
    assert lively > 2 * quiet
    hidden = ("--traits-mask-probability", 1, "--loop.epochs", 5)
    quiet, lively = liveliness(world, trained(world, "untold", *hidden))
    assert lively == quiet
