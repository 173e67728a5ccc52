"""The whole way at 30 frames a second: simulate, pack, train, react, score, export."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxreact.data.prepare.command import PrepareConfig, prepare
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.export.motion import read_motion
from jaxreact.predictions.whole import read_whole
from jaxreact.simulation import SimulateConfig, simulate
from jaxreact.systems.framewise.presets import PRESETS
from jaxreact.systems.framewise.training import train_framewise
from tests.metrics.test_command import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("mars") / "root"
    simulate(SimulateConfig(out, split=(4, 2, 1), layout="mars", seconds=8, workers=2))
    return out


@pytest.fixture(scope="module")
def trained(root) -> Path:
    out = root.parent / "framewise"
    train_framewise(PRESETS["debug"](data=root, out=out))
    return out


@pytest.fixture(scope="module")
def evaluated(root, trained) -> Path:
    out = root.parent / "evaluation"
    results = root.parent / "results.pt"
    evaluate(Evaluation(root, out, run=trained, samples=2, export_results=results))
    return out


def test_reactions_are_as_long_as_their_speakers(root, evaluated):
    made = read_whole(evaluated / "predictions.npz")
    assert made.rate == 30
    assert made.coeffs is not None
    for clip, name in enumerate(made.clips):
        session, role, stem = name.split("/")
        table = root / "val" / "facial-attributes" / role / session / f"{stem}.npy"
        rows = len(np.load(table))
        assert made.emotion[clip].shape == (2, rows, 25)
        assert made.coeffs[clip].shape == (2, rows, 58)
    assert read_motion(evaluated / "predictions.npz", clip="1", sample=1).fps == 30


def test_a_cache_gives_the_same_reactions(root, trained, evaluated, tmp_path):
    """Its sound has 16 bits, so that they are the same but for rounding."""
    prepare(PrepareConfig(root, out=tmp_path / "cache", workers=2))
    evaluate(Evaluation(tmp_path / "cache", tmp_path / "out", run=trained, samples=2))
    ours, theirs = (read_whole(each / "predictions.npz") for each in (evaluated, tmp_path / "out"))
    assert ours.clips == theirs.clips
    for clip in range(len(ours.clips)):
        np.testing.assert_array_equal(ours.listener[clip], theirs.listener[clip])
        assert ours.coeffs is not None
        assert theirs.coeffs is not None
        np.testing.assert_allclose(ours.coeffs[clip], theirs.coeffs[clip], atol=0.02)


def test_the_saved_results_score_as_the_evaluation_did(root, evaluated, capsys):
    """Here all clips of the session have one length, and no more than ten listeners."""
    results, scored = root.parent / "results.pt", root.parent / "scored.json"
    run("score", results, "--json", scored)
    theirs = json.loads(scored.read_text())["scores"]
    ours = json.loads((evaluated / "metrics.json").read_text())["scores"]
    for name in ("FRD", "FRVar", "FRDiv"):
        assert theirs[name] == pytest.approx(ours[name], rel=0.05)
    assert "FRSyn needs the speakers" in capsys.readouterr().out
