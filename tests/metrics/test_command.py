"""The command as a user: files in, table and JSON out, one line for what cannot be used."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tyro

from jaxreact import metrics
from jaxreact.data.conversations import open_conversations
from jaxreact.data.split import conversations as conversations_of
from jaxreact.errors import UserError
from jaxreact.metrics.__main__ import Commands
from tests.metrics.test_scores import smooth

CLIPS, SAMPLES, FRAMES = 18, 2, 40
NAMES = [f"NoXI/{index // 2:03}/Expert_video/{index % 2 + 1}" for index in range(CLIPS)]


@pytest.fixture(scope="module")
def arrays():
    listener, speaker = smooth(CLIPS, FRAMES, 25, seed=1), smooth(CLIPS, FRAMES, 25, seed=2)
    noise = smooth(CLIPS, SAMPLES, FRAMES, 25)
    return {
        "bad": noise,
        "good": 0.5 * noise + 0.5 * listener[:, None],
        "listener": listener,
        "speaker": speaker,
        "neighbours": np.eye(CLIPS) + np.eye(CLIPS, k=1),
    }


@pytest.fixture
def files(arrays, tmp_path, monkeypatch):
    """A folder with predictions of two systems, with the truth in them, and a matrix."""
    monkeypatch.chdir(tmp_path)
    truth = {name: arrays[name] for name in ("listener", "speaker")}
    for name in ("bad", "good"):
        np.savez(f"{name}.npz", emotion=arrays[name], clips=NAMES, **truth)
        np.savez(f"{name}_alone.npz", emotion=arrays[name])
    for name in ("listener", "speaker", "neighbours"):
        np.save(f"{name}.npy", arrays[name])
    return tmp_path


def run(*arguments):
    tyro.cli(Commands, args=[*map(str, arguments)]).run()  # pyright: ignore[reportArgumentType, reportCallIssue]


def scored(arrays, name, mode="corrected"):
    return metrics.evaluate(
        arrays[name], arrays["listener"], arrays["speaker"], arrays["neighbours"], mode
    )


def test_score_of_our_own_file(files, arrays, capsys):
    run("score", "good.npz", "--neighbours", "neighbours.npy", "--json", "out/scores.json")
    text = capsys.readouterr().out
    written = json.loads((files / "out/scores.json").read_text())
    expected = metrics.intervals(
        metrics.clipwise(*(arrays[name] for name in ("good", "listener", "speaker", "neighbours"))),
        groups=conversations_of(NAMES),
    )
    assert written["scores"] == scored(arrays, "good")
    for name, one in expected.items():
        assert written["intervals"][name] == [one.low, one.high]
        assert f"{one.value:.4f}" in text or f"{one.value:.2f}" in text
    assert written["unit"] == "conversation"
    assert written["counts"]["clips"] == CLIPS
    assert "2000 resamples of 9 conversations" in text
    assert "9 conversations are few" in text
    assert written["baselines"] == {}


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_score_of_a_file_without_names(files, arrays, capsys, ending):
    if ending == "npz":
        for name in ("listener", "speaker", "neighbours"):
            np.savez(files / f"{name}.npz", **{"other": np.zeros(2), name: arrays[name]})
    options = [f"--{name}={name}.{ending}" for name in ("listener", "speaker", "neighbours")]
    run("score", "good_alone.npz", *options, "--json", "scores.json", "--resamples", 100)
    written = json.loads((files / "scores.json").read_text())
    assert written["scores"] == scored(arrays, "good")
    assert written["unit"] == "clip"
    assert f"100 resamples of {CLIPS} clips" in capsys.readouterr().out


def test_the_recorded_persons_tell_the_number_of_clips(files, arrays, capsys):
    np.save(files / "passes.npy", arrays["good"].swapaxes(0, 1))
    truth = ("--listener", "listener.npy", "--speaker", "speaker.npy")
    run("score", "passes.npy", *truth, "--neighbours", "neighbours.npy", "--json", "scores.json")
    assert "read as samples-clips" in capsys.readouterr().out
    assert json.loads((files / "scores.json").read_text())["scores"] == scored(arrays, "good")


def test_by_clip_and_seed(files):
    found = []
    for options in ([], ["--by", "clip"], ["--by", "clip", "--seed", "1"], ["--by", "clip"]):
        run("score", "good.npz", "--neighbours", "neighbours.npy", "--json", "s.json", *options)
        found.append(json.loads((files / "s.json").read_text())["intervals"])
    assert found[1] == found[3]
    assert found[0] != found[1] != found[2]


def test_baselines(files, capsys):
    options = ("--neighbours", "neighbours.npy", "--baselines", "--json", "scores.json")
    run("score", "good.npz", *options)
    found = json.loads((files / "scores.json").read_text())["baselines"]
    assert list(found) == ["gt", "mime", "random"]
    assert found["gt"]["FRC"] == pytest.approx(SAMPLES, rel=1e-4)
    assert found["gt"]["FRD"] == found["gt"]["FRDiv"] == found["mime"]["FRDiv"] == 0.0
    assert found["mime"]["FRSyn"] == 0.0
    assert found["random"]["FRDvs"] == pytest.approx(1 / 6, rel=0.02)
    assert "mime" in capsys.readouterr().out


def test_original_mode_and_order(files, arrays, capsys):
    options = ("--neighbours", "neighbours.npy", "--mode", "original", "--original-order", "mix")
    run("score", "good.npz", *options, "--json", "scores.json")
    mixed = arrays | {"good": metrics.reorder_as_original(arrays["good"])}
    written = json.loads((files / "scores.json").read_text())
    assert written["scores"] == scored(mixed, "good", "original") != scored(arrays, "good")
    assert written["original_order"] == "mix"
    assert "clips are mixed as in the original" in capsys.readouterr().out


def test_compare(files, arrays, capsys):
    run("compare", "bad.npz", "good.npz", "--neighbours", "neighbours.npy", "--json", "c.json")
    text = capsys.readouterr().out
    found = json.loads((files / "c.json").read_text())["differences"]
    for name in scored(arrays, "bad"):
        assert found[name]["a"] == scored(arrays, "bad")[name]
        assert found[name]["b"] == scored(arrays, "good")[name]
    assert found["FRC"]["verdict"] == found["FRD"]["verdict"] == "better"
    assert found["FRVar"]["verdict"] in ("higher", "lower")
    assert f"FRVar {metrics.frvar(arrays['listener'][:, None]):.4f}" in text
    run("compare", "bad.npz", "bad_alone.npz", "--neighbours", "neighbours.npy")
    assert capsys.readouterr().out.count("no difference shown") == 8


def test_what_takes_no_part_is_said(files, arrays, capsys):
    still, lonely = arrays["good"].copy(), arrays["neighbours"].copy()
    still[3], lonely[5] = 0.5, 0
    truth = {name: arrays[name] for name in ("listener", "speaker")}
    np.savez(files / "still.npz", emotion=still, clips=NAMES, **truth)
    np.save(files / "lonely.npy", lonely)
    run("score", "still.npz", "--neighbours", "lonely.npy")
    text = capsys.readouterr().out
    assert "FRC and FRD leave out clips without an appropriate reaction: 1\n" in text
    assert f"FRSyn leaves out samples that do not move: {SAMPLES}\n" in text
    run("score", "still.npz", "--neighbours", "lonely.npy", "--mode", "original")
    assert " out " not in capsys.readouterr().out.split("intervals:")[1]
    run("compare", "still.npz", "good.npz", "--neighbours", "neighbours.npy")
    words = "FRDvs, FRVar, FRDiv, Jitter and Seams have no better or worse: as much as people"
    assert words in capsys.readouterr().out


def test_few_conversations_cannot_show_anything(files, arrays, capsys):
    names = [f"NoXI/{index % 5}/Expert_video/{index}" for index in range(CLIPS)]
    truth = {name: arrays[name] for name in ("listener", "speaker")}
    np.savez(files / "five.npz", emotion=arrays["bad"], clips=names, **truth)
    run("compare", "five.npz", "good_alone.npz", "--neighbours", "neighbours.npy")
    text = capsys.readouterr().out
    assert "5 conversations are too few to show any difference" in text
    assert text.count("no difference shown") == 8


def test_data_set_as_truth(conversations, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = open_conversations(conversations)
    dyads = data.dyads("train")
    frames = min(dyad.frames for dyad in dyads) - 3
    listener = np.stack([data.emotion(dyad.listener)[:frames] for dyad in dyads])
    np.savez("gt.npz", emotion=listener[:, None])
    run("score", "gt.npz", "--data", conversations, "--split", "train", "--json", "s.json")
    written = json.loads((tmp_path / "s.json").read_text())
    assert written["scores"]["FRD"] == 0.0
    assert written["scores"]["FRVar"] == metrics.frvar(listener[:, None])
    assert written["unit"] == "conversation"
    names = [dyad.speaker.name for dyad in dyads]
    np.savez("turned.npz", emotion=listener[:, None], clips=names[::-1])
    with pytest.raises(UserError, match=rf"turned.npz: clip 0 is {names[-1]}, in the data"):
        run("score", "turned.npz", "--data", conversations, "--split", "train")
    np.savez("long.npz", emotion=np.repeat(listener[:, None], 2, axis=2))
    with pytest.raises(UserError, match=rf"long.npz: {2 * frames} frames, but NoXI.* has "):
        run("score", "long.npz", "--data", conversations, "--split", "train")
    with pytest.raises(UserError, match="does not fit: the data set needs"):
        run("score", "gt.npz", "--data", conversations)


def test_empty_split(conversations, files):
    root = files / "data"
    root.mkdir()
    (root / "val").mkdir()
    (root / "val.csv").write_text(",speaker_path,listener_path\n")
    with pytest.raises(UserError, match=r"val.csv: lists no conversation"):
        run("score", "good.npz", "--data", root)


def refused(*arguments):
    """The message of a refused command, which is one line."""
    with pytest.raises(UserError) as error:
        run(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.wrong_arguments
def test_truth_that_does_not_suffice_or_fit(files, arrays):
    matrix = ("--neighbours", "neighbours.npy")
    assert "good.npz: give --data, or --neighbours" in refused("score", "good.npz")
    assert "none.npz: no such file" in refused("score", "none.npz")
    assert "none.npz: no such file" in refused("compare", "none.npz", "good.npz")
    Path("empty.pt").touch()
    assert "empty.pt: not a readable checkpoint: the file is empty" in refused("score", "empty.pt")
    assert "holds no listener; give --listener" in refused("score", "good_alone.npz", *matrix)
    assert "--neighbours contradicts --data" in refused("score", "good.npz", "--data", ".", *matrix)
    assert "no names of clips" in refused(
        "score", "good_alone.npz", "--by", "conversation", *matrix, "--listener", "listener.npy",
        "--speaker", "speaker.npy",
    )  # fmt: skip
    assert "nothing.npy: no such file" in refused("score", "good.npz", "--neighbours=nothing.npy")
    np.save(files / "short.npy", arrays["listener"][:, 1:])
    message = refused("score", "good.npz", *matrix, "--listener", "short.npy")
    assert "(18, 39, 25)" in message
    assert "(18, 2, 40, 25)" in message
    assert "resamples: 5" in refused("score", "good.npz", *matrix, "--resamples", 5)


@pytest.mark.parametrize("shape", [(17, 18), (18, 17), (19, 19), (18,)])
@pytest.mark.wrong_arguments
def test_neighbours_of_another_size(files, shape):
    np.save(files / "other.npy", np.ones(shape))
    message = refused("score", "good.npz", "--neighbours", "other.npy")
    assert str(shape) in message
    assert str((CLIPS, SAMPLES, FRAMES, 25)) in message


def test_more_columns_than_clips_are_skipped(files, arrays):
    wide = np.concatenate([arrays["neighbours"], np.ones((CLIPS, 3))], axis=1)
    np.save(files / "wide.npy", wide)
    run("score", "good.npz", "--neighbours", "wide.npy", "--json", "s.json")
    assert json.loads((files / "s.json").read_text())["scores"] == scored(arrays, "good")


def test_predictions_that_cannot_be_used(files, arrays):
    matrix = ("--neighbours", "neighbours.npy")
    broken = arrays["good"].copy()
    broken[3, 1, 7, 2] = np.nan
    np.savez(files / "nan.npz", emotion=broken, listener=arrays["listener"])
    message = refused("score", "nan.npz", *matrix, "--json", "s.json")
    assert "clip 3, sample 1, frame 7" in message
    np.savez(files / "narrow.npz", emotion=arrays["good"][..., :24])
    assert f"({CLIPS}, {SAMPLES}, {FRAMES}, 24)" in refused("score", "narrow.npz", *matrix)
    np.savez(files / "empty.npz", emotion=arrays["good"][:0])
    assert "empty.npz: " in refused("score", "empty.npz", *matrix)
    assert not (files / "s.json").exists()


def test_systems_of_different_clips(files, arrays):
    matrix = ("--neighbours", "neighbours.npy")
    truth = {name: arrays[name] for name in ("listener", "speaker")}
    np.savez(files / "names.npz", emotion=arrays["bad"], clips=NAMES[::-1], **truth)
    message = refused("compare", "good.npz", "names.npz", *matrix)
    assert f"names.npz: clip 0 is {NAMES[-1]}, in good.npz it is {NAMES[0]}" in message
    other = {name: array[::-1] for name, array in truth.items()}
    np.savez(files / "others.npz", emotion=arrays["bad"], **other)
    message = refused("compare", "good.npz", "others.npz", *matrix)
    assert "the listener of clip 0 is another than in good.npz" in message
    np.savez(files / "few.npz", emotion=arrays["bad"][:, :1])
    message = refused("compare", "good.npz", "few.npz", *matrix)
    assert "(18, 1, 40, 25)" in message
    assert "(18, 2, 40, 25)" in message


WITHOUT_TORCH = """
import importlib.abc, sys

class NoTorch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTorch())
from jaxreact.metrics.__main__ import main
sys.argv = ["metrics", "score", "good.npz", "--neighbours", "neighbours.npy"]
main()
unwanted = ("flax", "orbax", "jaxreact.nn", "jaxreact.systems", "jaxreact.runs")
print("LOADED", [name for name in unwanted if name in sys.modules])
"""


def test_needs_no_torch_and_no_model(files):
    """With torch blocked: the score of a file, without one module of the models."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH],
        cwd=files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "FRSyn" in done.stdout
    assert "LOADED []" in done.stdout


def test_errors_are_one_line_and_exit_status_1(files):
    done = subprocess.run(
        [sys.executable, "-m", "jaxreact.metrics", "score", "good.npz"],
        cwd=files,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    advice = "give --data, or --neighbours with the split's neighbour matrix"
    assert done.stderr == f"error: good.npz: {advice}\n"
