"""Whole clips of MARS: reactions as long as their speakers, 30 frames a second, scored by hand."""

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import soundfile

from jaxreact import metrics
from jaxreact.data.frame_rate import coeffs_at, emotion_at
from jaxreact.data.mars.eeg import CHANNELS
from jaxreact.data.prepare.command import PrepareConfig, prepare
from jaxreact.data.split import open_split
from jaxreact.errors import Remark, UserError
from jaxreact.evaluation import command, whole_clips
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.evaluation.drawing import studio
from jaxreact.evaluation.drawing.options import FilmOptions
from jaxreact.evaluation.generate import Generation, predict
from jaxreact.evaluation.report import write_evaluation_report
from jaxreact.predictions import read_results
from jaxreact.predictions.whole import read_whole
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import Reactions, Speaker
from tests.checking import unchecked
from tests.data.mars_files import MarsFiles, small
from tests.metrics.test_command import run


@dataclass(frozen=True)
class Echo:
    """Answers with the speaker's own face, and with emotion that says in which sample, when within
    a stretch, and how loud it is there."""

    name: str = "echo"
    needs: frozenset[str] = frozenset({"coeffs", "audio"})
    frame_multiple: int = 32
    options: frozenset[str] = frozenset()
    picture_side: None = None
    codebook: None = None
    settings: Any = None

    def fingerprint(self) -> dict[str, str]:
        return {"echo": "1"}

    def react(self, speaker: Speaker, num_samples: int, *, key: jax.Array) -> Reactions:
        assert speaker.coeffs is not None
        assert speaker.waveform is not None
        batch, frames, _ = speaker.coeffs.shape
        shape = (batch, num_samples, frames)
        loud = np.abs(np.asarray(speaker.waveform)).reshape(batch, 1, frames, 640).mean(axis=3)
        emotion = np.zeros((*shape, 25), np.float32)
        emotion[..., 15] = np.arange(num_samples)[:, None]
        emotion[..., 16] = np.arange(frames)
        emotion[..., 17] = loud
        coeffs = np.broadcast_to(np.asarray(speaker.coeffs)[:, None], (*shape, 58))
        return Reactions(jnp.asarray(coeffs), jnp.asarray(emotion))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> MarsFiles:
    return small(tmp_path_factory.mktemp("whole") / "mars")


def generated(files: MarsFiles, out, batch: int, stretch: int = 32):
    split = open_split(files.root, "train")
    truth = whole_clips._truth(split)
    wanted = Generation("train", stretch, 2, 0, Sampling(), whole=True)
    with unchecked():
        path = predict(
            Echo(settings={}),  # pyright: ignore[reportArgumentType]
            split.data,
            split.dyads,
            wanted,
            out,
            truth,
            batch,
        )
    return split, truth, path


@pytest.mark.wrong_arguments
def test_stretches_join_to_what_the_speaker_showed(files, tmp_path):
    split, truth, path = generated(files, tmp_path, 2)
    made = read_whole(path)
    assert (made.rate, made.clips) == (30.0, split.clips)
    assert made.coeffs is not None
    assert [len(rows) for rows in made.speaker] == [120, 60, 90]
    assert [len(rows) for rows in made.listener] == [119, 60, 90]
    for clip, dyad in enumerate(split.dyads):
        shown = split.data.coeffs(dyad.speaker)
        rows = len(truth[1][clip])
        expected = coeffs_at(shown, 25, 30, rows)
        np.testing.assert_array_equal(made.coeffs[clip], np.stack([expected] * 2))
        np.testing.assert_array_equal(made.emotion[clip][1, :, 15], np.ones(rows))
        loud = np.abs(split.data.waveform(dyad.speaker, 0, len(shown)))
        heard = np.zeros((len(shown), 25), np.float32)
        heard[:, 17] = loud.reshape(-1, 640).mean(axis=1)
        expected = emotion_at(heard, 25, 30, rows)[:, 17]
        np.testing.assert_allclose(made.emotion[clip][0, :, 17], expected, rtol=1e-5)
    # 100 frames: three stretches of 32, and 4 frames of one that begins at 68
    places = np.tile(np.r_[:32, :32, :32, 28:32][:, None], 25).astype(np.float32)
    places = emotion_at(places, 25, 30, 120)
    np.testing.assert_allclose(made.emotion[0][0, :, 16], places[:, 16], atol=1e-5)


@pytest.mark.wrong_arguments
def test_batches_change_nothing(files, tmp_path):
    one, all_ = (generated(files, tmp_path / str(n), n)[2] for n in (1, 9))
    assert one.read_bytes() == all_.read_bytes()


def arrays(files: MarsFiles, split: str, role: str, session: str, name: str) -> np.ndarray:
    return np.load(files.path(split, "facial-attributes", role, session, name, ".npy"))


@pytest.fixture(scope="module")
def mimed(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("mimed") / "out"
    config = Evaluation(files.root, out, split="train", baseline="mime", samples=2)
    return config, evaluate(config)


def test_scores_are_those_of_the_files(files, mimed):
    """Both listeners of session 2 suit both of its speakers, the third suits its own."""
    config, text = mimed
    assert "3 clips of 60 to 120 frames, 2 samples each, mode corrected" in text
    names = (("session2", "bb"), ("session2", "ccc"), ("session10", "a"))
    speaker = [arrays(files, "train", "speaker", *name) for name in names]
    listener = [arrays(files, "train", "listener", *name) for name in names]
    targets = [[listener[0], listener[1]], [listener[1], listener[0]], [listener[2]]]
    predictions = [np.stack([rows] * 2) for rows in speaker]
    expected = metrics.evaluate(predictions, targets, speaker, fps=30)
    content = json.loads((config.out / "metrics.json").read_text())
    assert content["scores"].keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(content["scores"][name], value, rtol=1e-6, equal_nan=True)
    assert content["baselines"]["mime"] == pytest.approx(content["scores"], rel=1e-9)
    assert [*content["baselines"]] == ["gt", "mime", "random", "mean-frame"]
    assert content["baselines"]["gt"]["FRD"] < content["baselines"]["random"]["FRD"]
    table = (config.out / "clip_scores.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in table[1:]] == [
        "session2/speaker/bb",
        "session2/speaker/ccc",
        "session10/speaker/a",
    ]


def test_results_keep_the_targets_lengths(files, mimed, tmp_path, capsys):
    """The paired listener first; ten to a clip, some of them again."""
    config = replace(mimed[0], out=tmp_path / "out", export_results=tmp_path / "results.pt")
    evaluate(config)
    text = capsys.readouterr().out
    saved = read_results(tmp_path / "results.pt")
    made = read_whole(tmp_path / "out" / "predictions.npz")
    for ours, theirs in zip(saved.predictions, made.emotion, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [len(each) for each in saved.targets] == [10, 10, 10]
    for clip, others in enumerate(([0, 1], [1, 0], [2])):
        suiting = [made.listener[other] for other in others]
        for place, target in enumerate(saved.targets[clip]):
            fits = [np.array_equal(target, each) for each in suiting]
            assert any(fits)
            assert place >= len(suiting) or fits[place]
    assert "targets of 2 clips keep lengths of their own, as lists" in text
    run("score", tmp_path / "results.pt", "--json", tmp_path / "scores.json")
    scores = json.loads((tmp_path / "scores.json").read_text())["scores"]
    ours = json.loads((tmp_path / "out" / "metrics.json").read_text())["scores"]
    assert scores["FRD"] == pytest.approx(ours["FRD"], rel=1e-6)  # both of a session's listeners


def test_the_predictions_alone_score_alike(mimed, tmp_path):
    """Without the data, from what stands in the file."""
    run("score", mimed[0].out / "predictions.npz", "--json", tmp_path / "scores.json")
    theirs = json.loads((tmp_path / "scores.json").read_text())
    ours = json.loads((mimed[0].out / "metrics.json").read_text())
    assert theirs["scores"] == ours["scores"]
    assert theirs["unit"] == "conversation"


def test_the_challenges_rules_draw_what_they_need(files, mimed, tmp_path, monkeypatch):
    """Here nothing but noise: no session has more than ten listeners."""

    def align(target: np.ndarray, length: int, key: jax.Array) -> np.ndarray:
        noise = float(jax.random.uniform(key))
        return np.full((length, 25), noise, np.float32)

    monkeypatch.setattr(metrics, "load_alignment", lambda path: align, raising=False)
    file = tmp_path / "results.pt"
    config = replace(
        mimed[0],
        out=tmp_path / "out",
        mode="react2026",
        alignment=Path("x"),
        export_results=file,
    )
    text = evaluate(config)
    made, saved = read_whole(tmp_path / "out" / "predictions.npz"), read_results(file)
    for clip, targets in enumerate(saved.targets):
        # As the challenge's programs have them: what the network made, where lengths differ.
        assert [len(each) for each in targets] == [len(made.speaker[clip])] * 10
    assert len(np.unique(saved.targets[0][0])) == 1
    np.testing.assert_array_equal(saved.targets[2][9], made.listener[2])
    content = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert content["mode"] == "react2026"
    low, high = content["draws_intervals"]["FRD"]
    assert low < content["scores"]["FRD"] < high
    assert "FRC of another draw of targets and of the alignment's noise: " in text


def test_lengths_that_the_alignment_cannot_do_are_refused_first(tmp_path, monkeypatch):
    files = MarsFiles(tmp_path / "mars")
    for split in ("train", "val"):
        files.pair(split, "session2", "a", 58, 16_500)
    files.mean_face()
    monkeypatch.setattr(metrics, "load_alignment", lambda path: pytest.fail, raising=False)
    monkeypatch.setattr(whole_clips, "_predictions", pytest.fail)
    config = Evaluation(
        files.root, tmp_path / "out", baseline="mime", mode="react2026", alignment=Path("x")
    )
    with pytest.raises(UserError, match=r"session2/speaker/a: 58 frames.*listener has 16500: "):
        evaluate(config)


def test_the_page_names_every_clip_and_its_length(mimed):
    page = (mimed[0].out / "report.html").read_text()
    for text in ("session2/speaker/ccc", "train split of MARS", "1 to 2 listeners suit one"):
        assert text in page
    assert "Nothing is known of the persons here" in page
    (best,) = re.findall(r"Best by FRC</h3>.*?<b>(.*?)</b>.*?Head pitch", page, re.DOTALL)
    rows = [row.split(",") for row in (mimed[0].out / "clip_scores.csv").read_text().splitlines()]
    column = rows[0].index("FRC")
    assert best == max(rows[1:], key=lambda row: float(row[column]))[0]
    assert "Correlation over lags from -59 to 59 frames" in page
    assert "mime: highest 1 at lag 0" in page


def test_the_page_can_be_written_again(files, mimed, tmp_path):
    """By what lies in the directory: with the data, the same but for its time."""
    shutil.copytree(mimed[0].out, tmp_path / "out")
    page = tmp_path / "out" / "report.html"
    before = page.read_text()
    write_evaluation_report(tmp_path / "out")
    alone = page.read_text()
    assert "Smile" in alone
    assert "Head pitch" not in alone
    write_evaluation_report(tmp_path / "out", data=files.root)
    time = re.compile(r"<time.*?</time>")
    assert time.sub("", page.read_text()) == time.sub("", before)
    with pytest.raises(UserError, match="its clips are not those of split val"):
        write_evaluation_report(tmp_path / "out", data=files.root, split="val")
    (tmp_path / "out" / "clip_scores.csv").write_text("clip\n")
    with pytest.raises(UserError, match=r"clip_scores\.csv"):
        write_evaluation_report(tmp_path / "out")


@pytest.mark.wrong_arguments
def test_a_film_is_as_long_as_the_speaker(tmp_path, monkeypatch):
    """25 frames a second of the models; a listener who ends before stands still."""
    files = MarsFiles(tmp_path / "mars")
    for split in ("train", "val"):
        files.pair(split, "session2", "a", 75, 58)
    files.mean_face()
    seen: dict[str, np.ndarray] = {}

    def head(coeffs: np.ndarray, *_: object, **__: object):
        seen[f"{len(seen)}"] = np.asarray(coeffs)
        return iter(np.zeros((len(coeffs), 32, 32, 3), np.uint8))

    echo = Echo(settings={})
    monkeypatch.setattr(command, "evaluated_system", lambda _: echo)
    monkeypatch.setattr(studio, "render_frames", head)
    out = tmp_path / "out"
    config = Evaluation(files.root, out, run=out, samples=1, render=1, drawing=FilmOptions(size=32))
    with unchecked():
        evaluate(config)
    data = open_split(files.root, "val")
    speaker, listener = data.coeffs(0).values()
    mine, theirs, mesh, face = seen.values()
    np.testing.assert_array_equal(mine, speaker)
    assert (len(speaker), len(listener)) == (62, 48)
    np.testing.assert_array_equal(theirs, np.vstack([listener, *[listener[-1:]] * 14]))
    np.testing.assert_allclose(mesh, speaker, atol=0.05)
    np.testing.assert_array_equal(face, mesh)
    (film,) = out.glob("videos/*.mp4")
    with av.open(str(film)) as container:
        assert container.streams.video[0].frames == len(speaker)
    assert "data:video/mp4" in (out / "report.html").read_text()


def test_the_page_shows_what_is_known_of_the_listeners(tmp_path):
    files = small(tmp_path / "mars")
    table = files.root / "train" / "personality" / "listener.csv"
    table.parent.mkdir()
    names = "video_name,Extraversion,Agreeableness,Conscientiousness,Neuroticism,Openness"
    table.write_text(f"{names}\nbb,1,2,3,4,4.75\n")
    eeg = files.path("train", "eeg_processed", "listener", "session2", "bb", ".csv")
    eeg.write_text(",".join(CHANNELS) + "\n" + ",".join(["1"] * 7 + [""] * 7) + "\n")
    prepare(PrepareConfig(files.root, out=tmp_path / "cache", workers=1))
    pages = []
    for place in (files.root, tmp_path / "cache"):
        out = tmp_path / f"out {place.name}"
        evaluate(Evaluation(place, out, split="train", baseline="mime", samples=1))
        pages.append((out / "report.html").read_text())
    assert all("Neuroticism" in page and ">4.75<" in page for page in pages)
    assert ["EEG measured, %" in page for page in pages] == [True, False]


def test_what_cannot_be_read_of_persons_does_not_stop_an_evaluation(tmp_path):
    files = small(tmp_path / "mars")
    table = files.root / "train" / "personality" / "listener.csv"
    table.parent.mkdir()
    table.write_text("bb,1\n")
    (files.root / "train" / "eeg_processed.tar.gz").write_bytes(b"no tar")
    out = tmp_path / "out"
    with pytest.warns(Remark) as said:
        evaluate(Evaluation(files.root, out, split="train", baseline="mime", samples=1))
    messages = [str(each.message) for each in said]
    assert [message for message in messages if "listener.csv: no column video_name" in message]
    (left_out,) = [message for message in messages if message.endswith("left out of the report")]
    assert "eeg_processed.tar.gz" in left_out
    assert "Nothing is known of the persons here" in (out / "report.html").read_text()


def test_one_eeg_that_cannot_be_read_leaves_the_others(tmp_path):
    files = small(tmp_path / "mars")
    for name, text in (("bb", ",".join(CHANNELS) + "\n" + ",".join("1" * 14)), ("ccc", "x")):
        files.path("train", "eeg_processed", "listener", "session2", name, ".csv").write_text(text)
    out = tmp_path / "out"
    with pytest.warns(Remark, match=r"ccc\.csv: no column TP9.*left out of the report"):
        evaluate(Evaluation(files.root, out, split="train", baseline="mime", samples=1))
    page = (out / "report.html").read_text()
    assert "EEG measured, %" in page
    assert ">100<" in page


def test_a_common_length_may_be_asked_for(files, tmp_path):
    config = Evaluation(
        files.root, tmp_path / "out", split="train", baseline="gt", samples=1, frames=32
    )
    assert "3 clips of 32 frames" in evaluate(config)


def test_what_ends_before_the_emotion_is_said(tmp_path, recwarn):
    """Of the clip that lacks most; a frame or two are nothing."""
    files = MarsFiles(tmp_path / "mars")
    for split in ("train", "val"):
        for name in ("a", "bb", "ccc"):
            files.pair(split, "session2", name, 60)
    files.mean_face()
    for name, seconds in (("a", 1.96), ("bb", 1.0), ("ccc", 0.5)):
        path = files.path("val", "audio", "speaker", "session2", name, ".wav")
        soundfile.write(path, np.zeros(round(16_000 * seconds)), 16_000)
    evaluate(Evaluation(files.root, tmp_path / "out", baseline="mime", samples=1))
    (said,) = [str(each.message) for each in recwarn if "end before" in str(each.message)]
    assert "val: sound or coefficients of 2 speakers end before" in said
    assert "session2/speaker/ccc by 1.5 s" in said


def test_a_clip_of_one_frame_is_named_first(tmp_path, monkeypatch):
    files = MarsFiles(tmp_path / "mars")
    for split in ("train", "val"):
        files.pair(split, "session2", "a", 60, 1)
    files.mean_face()
    monkeypatch.setattr(whole_clips, "_predictions", pytest.fail)
    with pytest.raises(UserError, match="session2/listener/a: 1 frames cannot be scored"):
        evaluate(Evaluation(files.root, tmp_path / "out", baseline="mime"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"baseline": "mean-sequence"}, "--baseline mean-sequence: of whole clips gt, mime"),
        ({"mode": "original"}, "have no --mode original; give --frames"),
        ({"baseline": None, "predictions": Path("x.npz")}, "score a results.pt by"),
        ({"render": "fid", "baseline": None, "run": Path("x")}, "have no --render fid; give --fr"),
        ({"alignment": Path("x")}, "--alignment is for --mode react2026"),
        ({"frames": 32, "export_results": Path("x.pt")}, "--export-results is for whole clips"),
        ({"frames": 32, "mode": "react2026"}, "--mode react2026 is for whole clips of MARS; leave"),
        ({"export_results": Path()}, r"--export-results: \. is a folder; name a file in it"),
        ({"sampling": Sampling(temperature=0.5)}, "--temperature, .* are for a --run"),
        (
            {"mode": "react2026", "split": "train"},
            "needs the challenge's alignment; give --alignment RUN",
        ),
    ],
)
def test_what_whole_clips_do_not_have_is_refused(files, tmp_path, change, message):
    config = Evaluation(files.root, tmp_path / "out", split="val", baseline="mime", samples=1)
    with pytest.raises(UserError, match=message):
        evaluate(replace(config, **change))
