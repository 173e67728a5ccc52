import json
import math

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.evaluation.results import (
    Predictions,
    read_predictions,
    score_table,
    write_metrics_json,
    write_predictions_npz,
)

SCORES = {"FRC": 0.5, "FRD": 123.456, "FRSyn": math.nan}
NAMES = ("NoXI/chat/Expert_video/1", "NoXI/chat/Novice_video/1")


@pytest.fixture
def predictions() -> Predictions:
    rng = np.random.default_rng(0)
    return Predictions(
        emotion=rng.random((2, 3, 8, 25), np.float32),
        coeffs=rng.random((2, 3, 8, 58), np.float32),
        listener=rng.random((2, 8, 25), np.float32),
        speaker=rng.random((2, 8, 25), np.float32),
        clips=NAMES,
    )


def test_predictions_round_trip(tmp_path, predictions):
    path = tmp_path / "new" / "predictions.npz"
    write_predictions_npz(path, predictions)
    found = read_predictions(path, clips=NAMES, frames=8)
    assert found.clips == NAMES
    for name in ("emotion", "coeffs", "listener", "speaker"):
        np.testing.assert_array_equal(getattr(found, name), getattr(predictions, name))
    with np.load(path, allow_pickle=False) as file:
        assert set(file.files) == {"emotion", "coeffs", "listener", "speaker", "clips"}
        assert file["clips"].tolist() == list(NAMES)


def test_emotion_alone_suffices(tmp_path, predictions):
    np.savez(tmp_path / "p.npz", emotion=predictions.emotion, note=np.zeros(3))
    found = read_predictions(tmp_path / "p.npz", clips=NAMES, frames=8)
    assert found.coeffs is None
    np.testing.assert_array_equal(found.emotion, predictions.emotion)


def test_predictions_of_another_size_or_order(tmp_path, predictions):
    path = tmp_path / "p.npz"
    write_predictions_npz(path, predictions)
    with pytest.raises(UserError, match=r"\(2, 3, 8, 25\).*needs \(2, 3, 9, 25\)"):
        read_predictions(path, frames=9)
    with pytest.raises(UserError, match=r"\(2, 3, 8, 25\).*needs \(3, 3, 8, 25\)"):
        read_predictions(path, clips=[*NAMES, "x"])
    with pytest.raises(UserError, match="clip 0 is NoXI/chat/Expert_video/1"):
        read_predictions(path, clips=NAMES[::-1])


def test_files_that_cannot_be_used(tmp_path, predictions):
    path = tmp_path / "p.npz"
    with pytest.raises(UserError, match="no such file"):
        read_predictions(path)
    path.write_bytes(b"PK nonsense")
    with pytest.raises(UserError, match="not an npz file"):
        read_predictions(path)
    np.savez(path, emotion=np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(UserError, match="not an npz file of plain arrays"):
        read_predictions(path)
    np.savez(path, faces=predictions.emotion)
    with pytest.raises(UserError, match="holds faces but no array emotion"):
        read_predictions(path)
    np.savez(path, emotion=predictions.emotion, listener=np.zeros((2, 7, 25)))
    with pytest.raises(UserError, match=r"p\.npz: listener: shape \(2, 7, 25\)"):
        read_predictions(path)
    np.save(tmp_path / "p.npy", predictions.emotion)
    with pytest.raises(UserError, match="one npy array"):
        read_predictions(tmp_path / "p.npy")


def test_metrics_json_is_strict_json(tmp_path):
    path = tmp_path / "metrics.json"
    write_metrics_json(path, SCORES, {"mime": SCORES}, mode="corrected", counts={"clips": 2})
    content = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert content["scores"] == {"FRC": 0.5, "FRD": 123.456, "FRSyn": None}
    assert content["baselines"] == {"mime": content["scores"]}
    assert content["mode"] == "corrected"
    assert content["counts"] == {"clips": 2}
    assert content["versions"]["numpy"] == np.__version__


def test_nothing_is_left_half_written(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("before")
    with pytest.raises(TypeError):
        write_metrics_json(path, SCORES, {}, mode="corrected", counts={"clips": object()})  # pyright: ignore[reportArgumentType]
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_table_is_aligned_and_says_where_better_is():
    table = score_table(SCORES, {"random": {"FRC": 0.01, "FRD": 300.0, "FRSyn": 12.0}})
    assert table.splitlines() == [
        "         FRC ↑   FRD ↓  FRSyn ↓",
        "-------------------------------",
        "model   0.5000  123.46        -",
        "random  0.0100  300.00    12.00",
    ]
