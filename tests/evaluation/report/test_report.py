"""The report of an evaluation: parsed, and held against what lies beside it."""

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact.data.split import open_split
from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.choice import choose
from jaxreact.evaluation.report import write_evaluation_report
from jaxreact.evaluation.report.__main__ import main
from jaxreact.predictions import Predictions, write_predictions
from tests.evaluation.report.results import TwoCodes, evaluate, smooth, some_predictions
from tests.html.reading import Page

HOSTILE = (
    "<script>alert(1)</script>/\"a\"/'b'/&amp;",
    "</title><b>/c/d/1",
    "=1+1/c/d/2",
    "ü/c/d/3",
)


def written(out: Path, predictions: Predictions, **more: Any) -> Page:
    scores = evaluate(out, predictions, **more)
    path = write_evaluation_report(out, clip_scores=scores)
    assert path == out / "report.html"
    return Page(path.read_text("utf-8"))


def labels(page: Page) -> list[str]:
    """Descriptions of the drawings."""
    return [attrs["aria-label"] for tag, attrs in page.tags if tag == "svg"]


def test_the_numbers_are_those_of_metrics_json(tmp_path):
    page = written(tmp_path, some_predictions(), seed=7, split="test")
    content = json.loads((tmp_path / "metrics.json").read_text())
    model, truth = (
        next(row for row in page.rows if row and row[0][0] == name)[1:]
        for name in ("Model", "Ground truth")
    )
    assert [value for _, value in model] == list(content["scores"].values())
    assert [value for _, value in truth] == list(content["baselines"]["gt"].values())
    for fact in ("test split", "Seed7", "Frames of each803.2 s", "Modecorrected"):
        assert fact in page.text


def test_intervals_stand_below_their_scores(tmp_path):
    intervals = {"FRC": [0.25, 0.75], "FRSyn": [None, None]}
    page = written(tmp_path, some_predictions(), intervals=intervals)
    model = next(row for row in page.rows if row and row[0][0] == "Model")[1:]
    score = json.loads((tmp_path / "metrics.json").read_text())["scores"]
    assert model[0][1] == 0.75  # the last number of the cell
    assert model[1][1] == score["FRD"]
    assert model[5][1] == score["FRSyn"]
    assert f"{score['FRC']:.4g}0.25 to 0.75" in page.text
    assert "95 % confidence intervals" in page.text
    bands = [attrs for tag, attrs in page.tags if tag == "rect" and attrs.get("class") == "band"]
    assert len(bands) == 1


def test_every_part_is_there(tmp_path):
    page = written(tmp_path, some_predictions())
    for title in (
        "Scores",
        "What they mean",
        "Clip by clip",
        "Best and worst clips",
        "Synchrony with the speaker",
        "Diversity",
        "Codebook use",
    ):
        assert title in page.words
    described = " ".join(labels(page))
    for metric in json.loads((tmp_path / "metrics.json").read_text())["scores"]:
        assert f"{metric} of 4 clips: from " in described
    for channel in (
        "Smile (AU12) over 3.2 seconds",
        "Valence",
        "Head pitch",
        "Correlation over lags",
    ):
        assert channel in described
    assert "Not shown: no system with codes was given." in page.text
    assert "95 %" not in page.text.split("Clip by clip")[0]  # no intervals, no word of them


def test_the_page_needs_nothing_from_outside(tmp_path):
    page = written(tmp_path, some_predictions())
    assert page.needs_nothing_from_outside()
    text = (tmp_path / "report.html").read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert [attrs for tag, attrs in page.tags if tag == "script"] == [{}]
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_hostile_names_are_text(tmp_path):
    page = written(tmp_path / "<i>out", some_predictions(names=HOSTILE), seed="<u>1</u>")
    for name in HOSTILE:
        assert name in page.text
    kinds = [tag for tag, _ in page.tags]
    assert kinds.count("script") == 1
    assert not {"i", "u"} & set(kinds)
    assert any("<script>alert(1)</script>" in label for label in labels(page))


@pytest.mark.parametrize(("clips", "samples"), [(1, 1), (1, 3), (2, 1), (9, 2)])
def test_few_clips_and_samples(tmp_path, clips, samples):
    page = written(tmp_path, some_predictions(clips, samples))
    cards = [attrs["id"] for tag, attrs in page.tags if "id" in attrs]
    assert len(cards) == len(set(cards)) <= min(clips, 12)
    if samples == 1:
        assert "One sample a clip: there is no diversity" in page.text
    numbers = [value for _, attrs in page.tags for value in (attrs.get("d"), attrs.get("cx"))]
    assert "nan" not in " ".join(filter(None, numbers)).lower()


def test_a_motionless_reaction_has_no_synchrony(tmp_path):
    predictions = some_predictions(2)
    still = np.broadcast_to(predictions.emotion[:, :, :1], predictions.emotion.shape).copy()
    page = written(tmp_path, dataclasses.replace(predictions, emotion=still, coeffs=None))
    assert json.loads((tmp_path / "metrics.json").read_text())["scores"]["FRSyn"] is None
    assert page.row("Model")[-1] == "-"
    assert not any(label.startswith("FRSyn") for label in labels(page))
    assert not any("Head pitch" in label for label in labels(page))
    assert "emotion alone" in page.text


def test_nobody_moves(tmp_path):
    zero = np.zeros((2, 2, 40, 25), np.float32)
    page = written(
        tmp_path, Predictions(zero, None, zero[:, 0], zero[:, 0], ("a/b/c/1", "a/b/c/2"))
    )
    assert "there is no correlation to show" in page.text


def test_best_and_worst_clips(tmp_path):
    predictions = some_predictions(7)
    assert predictions.listener is not None
    for clip in range(7):  # clip 6 is nearly the listener, clip 0 nothing like it
        part = clip / 6.5
        mixed = part * predictions.listener[clip] + (1 - part) * predictions.emotion[clip]
        predictions.emotion[clip] = mixed
    page = written(tmp_path, predictions)
    text = page.text
    best, worst = text.split("Best by FRC")[1].split("Best by FRD")[0].split("Worst by FRC")
    order = [re.findall(r"NoXI/0(\d)", part) for part in (best, worst)]
    assert order == [["6", "5", "4"], ["0", "1", "2"]]
    assert "above, best by frc" in text.split("Best by FRD")[1]


def test_videos_inside_the_page_while_they_are_small(tmp_path):
    predictions = some_predictions(names=HOSTILE)
    paths = [take.file("", ".mp4") for take in choose("all", HOSTILE, tmp_path, "val")]
    paths[0].parent.mkdir(parents=True)
    for path, size in zip(paths[:3], (10, 4_000_000, 20), strict=False):
        path.write_bytes(b"x" * size)
    page = written(tmp_path, predictions)
    sources = {attrs["aria-label"][-8:]: attrs["src"] for tag, attrs in page.tags if tag == "video"}
    assert len(sources) == 3
    inside = [source for source in sources.values() if source.startswith("data:video/mp4;base64,")]
    assert len(inside) == 2
    (beside,) = set(sources.values()) - set(inside)
    assert re.fullmatch(r"videos/[A-Za-z0-9_.%-]+\.mp4", beside)
    assert page.needs_nothing_from_outside()


def test_published_rows_are_open_for_real_data_and_folded_for_simulated(tmp_path):
    real = written(tmp_path / "real", some_predictions()).text
    names = tuple(f"NoXI/00{n}_2016-01-01_Simulated/Expert_video/1" for n in range(4))
    simulated = written(tmp_path / "simulated", some_predictions(names=names)).text
    assert "Not like for like" in real
    assert "simulated conversations" not in real
    assert "No published score was measured on them" in simulated
    assert "reactions to the validation split, simulated conversations" in simulated
    for text in (real, simulated):
        assert "ten different speakers" in text
        assert "86.73" in text


def test_without_the_data_set_or_clip_scores_the_rest_is_shown(tmp_path):
    evaluate(tmp_path, some_predictions())
    page = Page(write_evaluation_report(tmp_path).read_text("utf-8"))
    assert "Not shown: scores of single clips need" in page.text
    assert "Correlation over lags" in " ".join(labels(page))
    assert not (tmp_path / "clip_scores.csv").exists()


def test_clip_scores_are_kept_for_the_next_time(tmp_path):
    first = written(tmp_path, some_predictions())
    again = Page(write_evaluation_report(tmp_path).read_text("utf-8"))
    assert labels(again) == labels(first)
    # Those of another evaluation are not used.
    content = json.loads((tmp_path / "metrics.json").read_text())
    content["scores"]["FRD"] *= 1.01
    (tmp_path / "metrics.json").write_text(json.dumps(content))
    other = Page(write_evaluation_report(tmp_path).read_text("utf-8"))
    assert "Not shown: scores of single clips need" in other.text


@pytest.fixture(scope="module")
def simulated(conversations, tmp_path_factory) -> Path:
    """An evaluation of the validation split of simulated conversations."""
    out = tmp_path_factory.mktemp("evaluation")
    split = open_split(conversations, "val")
    clips = len(split.dyads)
    predictions = Predictions(
        smooth(clips, 2, 96, 25), smooth(clips, 2, 96, 58), *split.emotions(96), split.clips
    )
    evaluate(out, predictions, split.neighbours())
    return out


@pytest.mark.wrong_arguments
def test_the_data_set_gives_scores_of_clips_faces_and_codes(simulated, conversations):
    path = write_evaluation_report(simulated, data=conversations, codebook=TwoCodes())
    page = Page(path.read_text("utf-8"))
    assert "Best by FRD" in page.text
    assert "Codes of 192 frames of each side" in page.text
    used, share, perplexity = page.row("Listener, recorded")
    assert share == 100 * int(used) / 8
    assert 1 <= float(perplexity) <= int(used)
    assert "validation split, simulated conversations" in page.text
    with pytest.raises(UserError, match="its clips are not those of split train"):
        write_evaluation_report(simulated, data=conversations, split="train")


def test_what_does_not_fit_is_named_and_nothing_is_written(tmp_path, simulated, conversations):
    with pytest.raises(UserError, match=r"metrics.json: no such file; give a directory that"):
        write_evaluation_report(tmp_path)
    predictions = some_predictions()
    evaluate(tmp_path, predictions)
    content = (tmp_path / "metrics.json").read_text()
    for text, message in (
        ("{", "cannot be read"),
        ("[]", "no scores"),
        ('{"scores": {}}', "no bas"),
    ):
        (tmp_path / "metrics.json").write_text(text)
        with pytest.raises(UserError, match=rf"metrics.json: {message}"):
            write_evaluation_report(tmp_path)
    (tmp_path / "metrics.json").write_text(content)
    (tmp_path / "clip_scores.csv").write_text("clip,FRC\n1,x\n")
    with pytest.raises(UserError, match=r"clip_scores.csv: not a table of clip scores"):
        write_evaluation_report(tmp_path)
    (tmp_path / "clip_scores.csv").unlink()
    other = evaluate(tmp_path / "other", some_predictions(frames=64))
    with pytest.raises(UserError, match=r"does not give the scores of metrics.json"):
        write_evaluation_report(tmp_path, clip_scores=other)
    evaluate(tmp_path, dataclasses.replace(predictions, clips=None))
    assert not list(tmp_path.rglob("*.html"))
    assert not list(tmp_path.rglob("clip_scores.csv"))


def test_predictions_without_the_recorded_persons_are_refused(tmp_path):
    predictions = some_predictions()
    evaluate(tmp_path, predictions)
    write_predictions(tmp_path / "predictions.npz", dataclasses.replace(predictions, speaker=None))
    with pytest.raises(UserError, match="holds no speaker"):
        write_evaluation_report(tmp_path)


def test_the_command(tmp_path, monkeypatch, capsys):
    evaluate(tmp_path / "out", some_predictions(2))
    monkeypatch.setattr(sys, "argv", ["report", str(tmp_path / "out")])
    main()
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'report.html'}\n"
    monkeypatch.setattr(sys, "argv", ["report", str(tmp_path)])
    with pytest.raises(UserError, match="no such file"):
        main()
