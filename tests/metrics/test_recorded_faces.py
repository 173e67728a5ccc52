"""Scores that need faces: where those come from, and what there is without them."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tyro

from jaxreact import metrics
from jaxreact.data.split import open_split
from jaxreact.errors import Remark, UserError
from jaxreact.metrics.__main__ import Commands
from jaxreact.metrics.recorded_faces import recorded_faces
from tests.metrics.test_scores import case, smooth

EMOTION_ALONE = ["FRC", "FRD", "FRDvs", "FRVar", "FRDiv", "FRSyn", "Jitter", "Seams"]
WITHOUT_SOUND = [name for name in metrics.NAMES if name != "Nods"]


def faces(clips=3, samples=2, frames=60) -> metrics.Faces:
    return metrics.Faces(
        smooth(clips, samples, frames, 58),
        smooth(clips, frames, 58, seed=1),
        smooth(clips, frames, 58, seed=2),
        np.arange(frames) % 30 < np.full((clips, 1), 20),
    )


def test_scores_whose_needs_are_not_met_are_left_out():
    silent = dataclasses.replace(faces(), speaking=None)
    for given, expected in (
        (None, EMOTION_ALONE),
        (silent, WITHOUT_SOUND),
        (faces(), list(metrics.NAMES)),
    ):
        found = metrics.clipwise(*case(), faces=given)
        assert [score.name for score in found.scores] == list(found.parts) == expected
        assert list(metrics.intervals(found, resamples=100)) == expected


def test_the_modes_have_the_same_scores_of_ours():
    ours = {score.name for score in metrics.OURS}
    found = [metrics.evaluate(*case(), mode=mode, faces=faces()) for mode in metrics.MODES]
    one, other = ({name: each[name] for name in ours} for each in found)
    assert one == other


def test_the_period_is_that_of_both_seams():
    found = metrics.evaluate(*case(), faces=faces(), period=7)
    assert found["Seams"] == metrics.seams(case()[0], 7)
    assert found["FaceSeams"] == metrics.face_seams(faces(), 7)


def test_of_naive_baselines_the_truth_and_mime_have_faces():
    given = faces()
    found = metrics.baseline_scores(*case()[1:], samples=3, faces=given)
    assert list(found["random"]) == EMOTION_ALONE
    assert list(found["gt"]) == list(found["mime"]) == list(metrics.NAMES)
    assert found["gt"]["FaceJitter"] == found["gt"]["Jitter"] == 1.0
    assert found["mime"]["Smiles"] == pytest.approx(1.0)
    mime = given.of(given.speaker[:, None])
    assert found["mime"]["FaceSeams"] == metrics.face_seams(mime)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"predicted": smooth(3, 2, 61, 58)}, "faces, predicted: shape (3, 2, 61, 58) does not"),
        ({"listener": smooth(3, 60, 25)}, "faces, listener: shape (3, 60, 25) does not fit"),
        ({"speaking": np.ones((3, 59), bool)}, "faces, speaking: shape (3, 59) does not fit"),
        ({"speaker": np.full((3, 60, 58), np.inf)}, "faces, speaker: not finite in clip 0, frame"),
    ],
)
def test_faces_that_do_not_fit(change, words):
    with pytest.raises(UserError, match=re.escape(words)):
        metrics.clipwise(*case(), faces=dataclasses.replace(faces(), **change))


@pytest.fixture
def own_data(conversations, tmp_path) -> Path:
    """A copy of the data set, of which files may be taken away."""
    return Path(shutil.copytree(conversations, tmp_path / "data"))


def test_faces_and_speech_of_a_data_set(own_data):
    split = open_split(own_data, "train", ("emotion",))
    predicted = np.zeros((4, 1, 100, 58), np.float32)
    found = recorded_faces(split, predicted)
    assert found is not None
    with_all = open_split(own_data, "train")
    np.testing.assert_array_equal(found.listener[3], with_all.coeffs(3, 100)["listener"])
    np.testing.assert_array_equal(found.speaker[1], with_all.coeffs(1, 100)["speaker"])
    assert found.speaking is not None
    assert 0.05 < found.speaking.mean() < 0.95
    assert recorded_faces(split, None) is None
    assert recorded_faces(None, predicted) is None

    sounds = sorted((own_data / "train" / "Audio_files").rglob("*.wav"))
    sounds[0].unlink()
    with pytest.warns(Remark, match="scores that need audio are left out: .*1 file of split train"):
        found = recorded_faces(split, predicted)
    assert found is not None
    assert found.speaking is None
    shutil.rmtree(own_data / "train" / "Audio_files")
    found = recorded_faces(split, predicted)  # nobody promised sound: nothing is said
    assert found is not None
    assert found.speaking is None

    with pytest.warns(Remark, match=r"need coeffs are left out: .* frames of 10000"):
        assert recorded_faces(split, np.zeros((4, 1, 10_000, 58), np.float32)) is None
    shutil.rmtree(own_data / "train" / "3D_FV_files")
    assert recorded_faces(split, predicted) is None


def run(*arguments) -> None:
    tyro.cli(Commands, args=[*map(str, arguments)]).run()  # pyright: ignore[reportArgumentType, reportCallIssue]


@pytest.fixture
def files(own_data, tmp_path, monkeypatch) -> Path:
    """Beside the data set: predictions with faces, and the same of somebody who has none."""
    monkeypatch.chdir(tmp_path)
    emotion, coeffs = smooth(4, 2, 100, 25), smooth(4, 2, 100, 58)
    np.savez("ours.npz", emotion=emotion, coeffs=coeffs)
    np.savez("other.npz", emotion=emotion[:, ::-1], coeffs=coeffs[:, ::-1])
    np.savez("peer.npz", emotion=emotion)
    return own_data


def written(*arguments) -> dict:
    run(*arguments, "--split", "train", "--json", "s.json", "--resamples", 100)
    return json.loads(Path("s.json").read_text())


def test_the_commands(files, capsys):
    """Everybody's predictions get the scores that their files suffice for."""
    found = written("score", "ours.npz", "--data", files, "--baselines", "--period", 16)
    assert list(found["scores"]) == list(found["intervals"]) == list(metrics.NAMES)
    assert found["period"] == 16
    assert found["scores"]["Seams"] == metrics.seams(smooth(4, 2, 100, 25), 16)
    assert found["baselines"]["gt"]["FaceJitter"] == 1.0
    assert "Nods" not in found["baselines"]["random"]
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if line}
    assert rows["Smiles"][-1] == rows["FaceSeams"][-1] == "-"  # of random
    assert rows["Smiles"][-2] == "1.0000"  # of mime

    assert list(written("score", "peer.npz", "--data", files)["scores"]) == EMOTION_ALONE
    needs = "FaceJitter, FaceSeams and Smiles need coefficients of the predictions, and of the"
    assert needs in capsys.readouterr().out

    differences = written("compare", "ours.npz", "other.npz", "--data", files)["differences"]
    assert list(differences) == list(metrics.NAMES)
    out = capsys.readouterr().out
    assert re.search(r"have FRDvs \d.*, FaceSeams \d.*, Nods \S+ and Smiles \d", out)
    differences = written("compare", "ours.npz", "peer.npz", "--data", files)["differences"]
    assert list(differences) == EMOTION_ALONE

    shutil.rmtree(files / "train" / "Audio_files")
    capsys.readouterr()
    assert list(written("score", "ours.npz", "--data", files)["scores"]) == WITHOUT_SOUND
    assert "Nods needs coefficients, and sound in --data: not scored" in capsys.readouterr().out


def test_a_wrong_period_is_one_line(files):
    for command in (("score", "ours.npz"), ("compare", "ours.npz", "peer.npz")):
        with pytest.raises(UserError, match=r"^period: 1 leaves no frame .*; give 2 or more$"):
            run(*command, "--data", files, "--period", 1)
