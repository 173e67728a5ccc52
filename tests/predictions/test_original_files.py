"""Files as the original's test loop leaves them, but with each reaction beside its clip."""

import builtins

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.predictions import Predictions, read_predictions
from jaxreact.predictions import original_files as original_predictions
from jaxreact.predictions.original_files import check_torch, export_original

NAMES = ("NoXI/chat/Expert_video/1", "NoXI/chat/Novice_video/1", "RECOLA/group-1/P25/2")
MEAN = np.linspace(0, 3, 58).astype(np.float32)
SCORES = {"FRC": 0.25, "FRD": 86.5, "FRDvs": 0.125, "FRVar": 0.5, "FRDiv": 0.0625, "FRSyn": 47.0}


@pytest.fixture
def predictions() -> Predictions:
    rng = np.random.default_rng(0)
    emotion, coeffs = (rng.random((3, 2, 8, width), np.float32) for width in (25, 58))
    truth = rng.random((2, 3, 8, 25), np.float32)
    return Predictions(emotion, coeffs, *truth, clips=NAMES)


@pytest.fixture
def folder(predictions, tmp_path):
    pytest.importorskip("torch")
    return export_original(tmp_path / "out", "val", predictions, MEAN, SCORES)


def test_where_and_what(folder, tmp_path):
    assert folder == tmp_path / "out" / "val" / "render_for_fid"
    names = (
        "listener_gt.pt listener_pred_3dmm.pt listener_pred_emotion.pt metrics.txt speaker_gt.pt"
    )
    assert sorted(path.name for path in folder.iterdir()) == names.split()
    assert (folder / "metrics.txt").read_text().splitlines() == [
        "TLCC: 47.0",
        "FRC: 0.25",
        "FRD: 86.5",
        "FRDvs: 0.125",
        "FRVar: 0.5",
        "smse: 0.0625",
        "FRRea: nan",
    ]


@pytest.mark.parametrize("weights_only", [True, False])
def test_torch_reads_tensors_in_the_clips_order(folder, predictions, weights_only):
    torch = pytest.importorskip("torch")
    for name, expected in {
        "listener_pred_emotion": predictions.emotion,
        "listener_pred_3dmm": predictions.coeffs - MEAN,
        "listener_gt": predictions.listener,
        "speaker_gt": predictions.speaker,
    }.items():
        found = torch.load(folder / f"{name}.pt", weights_only=weights_only)
        assert found.dtype == torch.float32
        np.testing.assert_array_equal(found.numpy(), expected)


def test_our_own_reader_knows_that_they_are_in_order(folder, predictions):
    for path in (folder, folder / "listener_pred_emotion.pt"):
        found = read_predictions(path, clips=NAMES)
        np.testing.assert_array_equal(found.emotion, predictions.emotion)
        assert found.clips == NAMES
    with pytest.raises(UserError, match="clip 0 is NoXI/chat/Expert_video/1, in the data set"):
        read_predictions(folder, clips=NAMES[::-1])
    with pytest.raises(UserError, match="the file's clips are not mixed as the original's are"):
        read_predictions(folder, clips=NAMES, original_order="undo")


def test_emotion_alone(predictions, tmp_path):
    pytest.importorskip("torch")
    alone = Predictions(predictions.emotion, clips=NAMES)
    folder = export_original(tmp_path, "test", alone, MEAN, {})
    assert sorted(path.name for path in folder.iterdir()) == [
        "listener_pred_emotion.pt",
        "metrics.txt",
    ]


def test_without_torch(monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments):
        if name == "torch":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError, match=r"needs torch: pip install -e '\.\[torch\]'"):
        check_torch("--export-original")


def test_metrics_of_the_original_have_our_names():
    assert set(original_predictions.METRICS.values()) == {*SCORES, "FRRea"}
