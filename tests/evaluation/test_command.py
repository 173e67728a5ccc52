"""`evaluate.py` as users give it, with pretended models."""

import dataclasses
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.data.conversations import open_conversations
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.data.split import open_split
from jaxreact.errors import Remark, UserError
from jaxreact.evaluation import command, evaluated_system
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.evaluation.drawing import fid_pictures
from jaxreact.evaluation.drawing.options import FilmOptions
from jaxreact.evaluation.report import write_evaluation_report
from jaxreact.predictions import Predictions, read_predictions
from jaxreact.predictions.original_order import reorder_as_original
from jaxreact.systems.fiber.system import Fiber
from jaxreact.systems.online import Online
from tests.metrics.realism.colour_features import ColourFeatures

pytestmark = pytest.mark.wrong_arguments  # pretended models

FRAMES = 96


@pytest.fixture(autouse=True)
def pretended(monkeypatch, system: Fiber) -> None:
    monkeypatch.setattr(evaluated_system, "load", lambda *_, **__: system)


@pytest.fixture
def config(conversations, tmp_path) -> Evaluation:
    """An evaluation of the four clips of `train` by a model."""
    t, p = Path("t"), Path("p")
    out = tmp_path / "out"
    return Evaluation(conversations, out, split="train", samples=2, tokenizer=t, predictor=p)


def of_file(config: Evaluation, path: Path, out: str, **options: Any) -> Evaluation:
    """The same, of somebody's predictions."""
    changes = {"tokenizer": None, "predictor": None, "predictions": path, "out": path.parent / out}
    return dataclasses.replace(config, **changes, **options)


def scores(config: Evaluation) -> dict[str, Any]:
    content = json.loads((config.out / "metrics.json").read_text())
    return content["scores"]


@pytest.fixture
def made(config) -> Predictions:
    """What the model answers."""
    evaluate(config)
    return read_predictions(config.out / "predictions.npz")


@pytest.mark.wrong_arguments
def test_a_model(config, capsys):
    table = evaluate(config)
    assert table.startswith("4 clips of 96 frames, 2 samples each, mode corrected\n")
    said = "system fiber, online True, window 32, precision tensorfloat32"
    assert table.splitlines()[1] == said
    assert table.splitlines()[3].split()[0] == "model"
    assert table.splitlines()[3].split()[-5:] == [*metrics.BASELINES]
    assert table.splitlines()[-1] == str(config.out / "report.html")
    written = sorted(path.name for path in config.out.iterdir())
    assert written == ["clip_scores.csv", "metrics.json", "predictions.npz", "report.html"]
    made = read_predictions(config.out / "predictions.npz")
    data = open_conversations(config.data)
    truth = (made.listener, made.speaker)
    faces = metrics.recorded_faces(open_split(config.data, "train"), made.coeffs)
    expected = metrics.evaluate(made.emotion, *truth, data.neighbours("train", 4), faces=faces)  # pyright: ignore[reportArgumentType]
    assert scores(config) == pytest.approx(expected, nan_ok=True)
    assert list(expected) == list(metrics.NAMES)
    content = json.loads((config.out / "metrics.json").read_text())
    assert (content["split"], content["seed"], content["period"]) == ("train", 0, 32)
    assert content["baselines"]["gt"]["FaceJitter"] == 1.0
    assert "FaceJitter" not in content["baselines"]["mean-frame"]
    neighbours = data.neighbours("train", 4)
    ranges = metrics.intervals(
        metrics.clipwise(made.emotion, *truth, neighbours, faces=faces),  # pyright: ignore[reportArgumentType]
        groups=[name.rsplit("/", 2)[0] for name in made.clips or ()],
    )
    assert content["intervals"] == {
        name: [None if math.isnan(end) else end for end in (one.low, one.high)]
        for name, one in ranges.items()
    }
    assert made.emotion.shape == (4, 2, FRAMES, 25)
    before = (config.out / "metrics.json").read_bytes()
    capsys.readouterr()
    assert evaluate(config) == table
    assert "not made again" in capsys.readouterr().out
    assert (config.out / "metrics.json").read_bytes() == before


Write = Callable[[Path, np.ndarray], None]


@pytest.mark.parametrize(
    ("turn", "options"),
    [
        (lambda x: x, {}),
        (lambda x: x.swapaxes(0, 1), {}),
        (lambda x: x.reshape(8, FRAMES, 25), {"layout": "flat-by-clip"}),
        (lambda x: x.swapaxes(0, 1).reshape(8, FRAMES, 25), {"layout": "flat-by-sample"}),
        (reorder_as_original, {"original_order": "undo"}),
    ],
)
def test_the_same_predictions_in_any_order_score_the_same(config, made, turn, options, tmp_path):
    np.save(tmp_path / "p.npy", turn(made.emotion))
    other = of_file(config, tmp_path / "p.npy", "again", **options)
    table = evaluate(other)
    ours = scores(config)
    alone = {score.name for score in metrics.SCORES if score.needs == "emotion"}
    assert scores(other) == {name: ours[name] for name in ours if name in alone}
    assert str(tmp_path / "p.npy") in table.splitlines()[2]
    assert "\nFaceJitter, FaceSeams and Smiles need coefficients of the predictions" in table


def test_the_files_length_counts(config, made, tmp_path, capsys):
    np.save(tmp_path / "p.npy", made.emotion[:, :, :70])
    table = evaluate(of_file(config, tmp_path / "p.npy", "again"))
    assert table.startswith("4 clips of 70 frames")
    assert "shape (4, 2, 70, 25) read as clips-samples: 4 clips" in capsys.readouterr().out
    table = evaluate(of_file(config, tmp_path / "p.npy", "again", frames=50))
    assert table.startswith("4 clips of 50 frames")
    np.save(tmp_path / "p.npy", np.zeros((4, 2, 126, 25), np.float32))
    words = re.escape("126 frames (5.04 s), the clips have 124 in common; --frames 124 leaves")
    with pytest.raises(UserError, match=words):
        evaluate(of_file(config, tmp_path / "p.npy", "third"))
    assert not (tmp_path / "third").exists()


def test_somebodys_faces_and_another_period(config, made, tmp_path):
    """A peer's file with coefficients has all the scores that a model has."""
    np.savez(tmp_path / "p.npz", emotion=made.emotion, coeffs=made.coeffs)  # pyright: ignore[reportArgumentType]
    other = of_file(config, tmp_path / "p.npz", "again", period=12)
    evaluate(other)
    assert scores(other).keys() == scores(config).keys()
    assert scores(other)["Seams"] == metrics.seams(made.emotion, 12) != scores(config)["Seams"]
    same = {name for name in scores(config) if scores(other)[name] == scores(config)[name]}
    assert same == {*metrics.NAMES} - {"Seams", "FaceSeams"}
    for table in ("clip_scores.csv", "report.html"):
        assert (other.out / table).read_text().count("FaceSeams") > 0
    (other.out / "clip_scores.csv").unlink()
    write_evaluation_report(other.out, data=other.data)  # computes them again
    assert (other.out / "clip_scores.csv").read_text().startswith("clip,FRC")


def test_predictions_that_do_not_fit_leave_nothing(config, tmp_path):
    for array, words in (
        (np.zeros((3, 2, 96, 25)), "(3, 2, 96, 25) does not fit: the data set needs (4, samples"),
        (np.zeros((4, 2, 96, 24)), "expected 25 channels"),
        (np.full((4, 2, 96, 25), np.nan), "nan in clip 0, sample 0, frame 0"),
    ):
        np.save(tmp_path / "p.npy", array)
        with pytest.raises(UserError, match=re.escape(words)):
            evaluate(of_file(config, tmp_path / "p.npy", "again"))
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize("name", ["gt", "mean-sequence"])
def test_a_baseline(config, name):
    other = dataclasses.replace(config, tokenizer=None, predictor=None, baseline=name)
    assert f"{name} (scored)" in evaluate(other)
    content = json.loads((other.out / "metrics.json").read_text())
    # Copies of one reaction are scored as one, whose matrix products round by their size.
    assert content["scores"] == pytest.approx(content["baselines"][name], rel=1e-12, nan_ok=True)
    assert read_predictions(other.out / "predictions.npz").coeffs is None


def test_pairs_that_a_cache_lacks_are_said(config, conversations, tmp_path):
    root, cache = shutil.copytree(conversations, tmp_path / "root"), tmp_path / "cache"
    next((root / "train" / "3D_FV_files").rglob("*.npy")).unlink()
    prepare(PrepareConfig(root, cache, drop_broken=True, workers=1))
    asked = dataclasses.replace(
        config, data=cache, tokenizer=None, predictor=None, baseline="mime", samples=1
    )
    with pytest.warns(Remark, match="cache: 1 pairs of train were left out of this cache: scores"):
        assert "2 clips of 96 frames" in evaluate(asked)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"predictor": None}, "give --run (or --predictor, with --tokenizer where"),
        ({"predictor": None, "tokenizer": None}, "give --run (or --predictor"),
        ({"baseline": "gt"}, "or --baseline, or --predictions; nothing else"),
        ({"run": Path("r")}, "--run and --predictor name the same; give one of them"),
        ({"samples": 0}, "--samples 0 is less than 1"),
        ({"samples": 10**9}, "--samples 1000000000 is more than 10000"),
        ({"batch": 0}, "--batch 0 is less than 1"),
        ({"frames": -1}, "--frames -1 is less than 2"),
        ({"frames": 1}, "--frames 1 is less than 2"),
        ({"seed": -1}, "--seed -1 must be a whole number from 0 to 4294967295"),
        ({"seed": 2**70}, f"--seed {2**70} must be a whole number"),
        ({"period": 1}, "period: 1 leaves no frame between two borders; give 2 or more"),
        ({"frames": 20}, "no common stretch of 32 frames"),
        ({"render": "submit"}, "--render submit: split train has none of the clips"),
        ({"render": 0}, "--render 0: give a number of clips"),
        ({"render": 1, "drawing": FilmOptions(pirender=Path("p"))}, "p: no face generator here"),
        ({"render": 1, "drawing": FilmOptions(head=Path("h.npz"))}, "h.npz: no such file"),
        ({"render": 1, "drawing": FilmOptions(reference=Path("r"))}, "--reference is a person's"),
        ({"layout": "flat-by-clip"}, "--layout and --original-order are for --predictions"),
        ({"original_order": "keep"}, "--layout and --original-order are for --predictions"),
        ({"online": Online(step=4)}, "--step is for --causal"),
        (
            {"predictor": None, "tokenizer": None, "baseline": "gt", "online": Online(True)},
            "a --run",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused_first(config, monkeypatch, change, words):
    monkeypatch.setattr(command, "predict", pytest.fail)
    with pytest.raises(UserError, match=re.escape(words)):
        evaluate(dataclasses.replace(config, **change))
    assert not config.out.exists()


def test_a_file_in_the_place_of_the_results_is_seen_first(config, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "open_split", pytest.fail)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file is a file, not a directory"):
        evaluate(dataclasses.replace(config, out=tmp_path / "file" / "below"))


def test_baselines_cannot_be_drawn(config, tmp_path):
    other = dataclasses.replace(config, tokenizer=None, predictor=None, baseline="gt", render=1)
    with pytest.raises(UserError, match="--render needs coefficients; baselines are emotion alone"):
        evaluate(other)
    np.save(tmp_path / "p.npy", np.zeros((4, 2, 96, 25)))
    with pytest.raises(UserError, match="--render needs coefficients; these predictions hold"):
        evaluate(of_file(config, tmp_path / "p.npy", "again", render=1))


def test_films_of_the_first_clips(config, capsys):
    config = dataclasses.replace(config, render=2, drawing=FilmOptions(size=32))
    evaluate(config)
    out = capsys.readouterr().out
    names = sorted(path.name for path in (config.out / "videos").iterdir())
    assert [name.rsplit(".", 1)[1] for name in names] == ["json", "mp4"] * 2
    for words in ("drawing: built-in head", "recorded faces: drawn", "--pirender runs/pirender"):
        assert out.count(words) == 1
    assert (config.out / "report.html").read_text().count("<video") == 2
    evaluate(config)
    assert capsys.readouterr().out.count("made of the same already") == 2


def test_pictures_for_realism(config, capsys, monkeypatch):
    fid = dataclasses.replace(config, render="fid", drawing=FilmOptions())
    evaluate(fid)
    assert "FRRea: not computed" in capsys.readouterr().out
    assert "realism" not in json.loads((config.out / "metrics.json").read_text())
    folder = config.out / "train" / "render_for_fid"
    assert len(list(folder.glob("fake_video_b1_ind*"))) == 4
    monkeypatch.setattr(fid_pictures, "load_inception", lambda _: ColourFeatures())
    evaluate(dataclasses.replace(fid, drawing=FilmOptions(inception=Path("i"))))
    realism = json.loads((config.out / "metrics.json").read_text())["realism"]
    assert realism["pictures"] == 4 * 4
    assert realism["FRRea"] > 0
    assert "16 pictures a side, drawn" in (config.out / "report.html").read_text()


@pytest.fixture
def own_data(config, tmp_path) -> Path:
    """The same data set, whose lists and matrices may be changed."""
    root = tmp_path / "data"
    root.mkdir()
    for path in config.data.iterdir():
        if path.is_dir():
            (root / path.name).symlink_to(path)
        else:
            (root / path.name).write_bytes(path.read_bytes())
    return root


def test_what_else_could_be_wrong_is_noticed_before_generation(config, own_data, monkeypatch):
    monkeypatch.setattr(command, "predict", pytest.fail)
    config = dataclasses.replace(config, data=own_data)
    matrix = own_data / "neighbour_emotion_train.npy"

    def refused(words: str) -> None:
        with pytest.raises(UserError, match=re.escape(words)):
            evaluate(config)
        assert not config.out.exists()

    np.save(matrix, np.ones((6, 6)))
    refused("shape (6, 6), but train.csv gives 4 mirrored dyads, which need (4, 4)")
    np.save(matrix, np.zeros((4, 4)))
    refused("no clip has a neighbour; is it the matrix of this split?")
    np.save(matrix, np.eye(4))
    lines = (own_data / "train.csv").read_text()
    (own_data / "train.csv").write_text(lines.splitlines()[0] + "\n")
    refused("train.csv")
    (own_data / "train.csv").write_text(lines.replace("/1\n", "/1x\n"))
    refused("train")


def test_the_naive_means_need_the_training_split_before_generation(config, own_data, monkeypatch):
    monkeypatch.setattr(command, "predict", pytest.fail)
    (own_data / "train.csv").unlink()
    config = dataclasses.replace(config, data=own_data, split="val")
    with pytest.raises(UserError, match=re.escape("train.csv: no such file")):
        evaluate(config)
    assert not config.out.exists()
