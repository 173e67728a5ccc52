"""The benchmark of learning: its figures over seeds, and the table of them."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.data.split import open_split
from jaxreact.predictions import Predictions, write_predictions
from tests.metrics.test_scores import smooth

ROOT = Path(__file__).parents[1]
NAIVE = {"mime": 0.2, "random": 0.0, "mean-sequence": 0.5, "mean-frame": 0.1}


@pytest.fixture(autouse=True)
def beside(monkeypatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def seed(add: float) -> dict[str, Any]:
    """What a seed has found; baselines that are emotion alone have no scores of faces."""
    alone = [score.name for score in metrics.SCORES if score.needs == "emotion"]
    scores: dict[str, dict[str, float | None]] = {
        name: dict.fromkeys(alone, value + add) for name, value in NAIVE.items()
    }
    for name in ("model", "gt", "mime"):
        scores[name] = dict.fromkeys(metrics.NAMES, 1.0 + add)
    scores["mime"]["Nods"] = None
    return {"scores": scores, "variety": dict.fromkeys(("model", "truth", "chance"), 0.1 + add)}


def test_every_score_stands_with_its_interval_over_the_seeds():
    from learnability_table import ROWS, intervals, table  # pyright: ignore[reportMissingImports]

    assert ROWS.keys() <= set(metrics.NAMES)
    assert {score.name for score in metrics.OURS} <= ROWS.keys()
    summary = intervals([seed(0.0), seed(0.2)])
    assert summary["scores"]["model"]["FaceSeams"]["mean"] == pytest.approx(1.1)
    assert summary["lead"]["FRC"]["mean"] == pytest.approx(0.0)  # mime has as much
    rows = {line.split(" | ")[0][2:]: line.split(" | ")[1:] for line in table(summary).splitlines()}
    half = f"{12.706 * 0.1:.2f}"
    assert rows["Jitter"][:2] == [f"1.10 ± {half}"] * 2
    assert rows["FaceJitter"][2:5] == ["-"] * 3  # random and the means have no face
    assert rows["Nods"][:2] == ["1.1 ± 1.3", "-"]
    assert rows["variety (FRDiv)"][0].startswith("0.200 ±")


def test_variety_of_samples_and_of_listeners(conversations, tmp_path):
    from learnability_measures import variety  # pyright: ignore[reportMissingImports]

    data = Path(shutil.copytree(conversations, tmp_path / "data"))
    np.save(data / "neighbour_emotion_val.npy", np.ones((2, 2)))
    split = open_split(data, "val")
    listener, speaker = split.emotions(64)
    emotion = smooth(len(split.dyads), 3, 64, 25)
    predictions = Predictions(emotion, None, listener, speaker, split.clips)
    write_predictions(tmp_path / "p.npz", predictions)
    found = variety(data, tmp_path / "p.npz", 0)
    assert found["model"] == pytest.approx(metrics.frdiv(emotion), rel=1e-6)
    apart = np.square(listener[0] - listener[1]).mean()
    assert found["truth"] == found["chance"] == pytest.approx(apart, rel=1e-5)
