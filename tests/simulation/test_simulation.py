"""The simulator's files are the data set's, and its conversations have cause and effect."""

import csv
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jaxreact.commands import run_command
from jaxreact.data.react2024.neighbours import build_neighbours
from jaxreact.errors import UserError
from jaxreact.face import ACTION_UNITS, EMOTION_PROBABILITIES, EMOTIONS, INDEX
from jaxreact.metrics.behaviour import voice_activity
from jaxreact.simulation import SimulateConfig, frames, run, simulate
from jaxreact.simulation.__main__ import main
from jaxreact.simulation.appropriate import appropriate
from jaxreact.simulation.articulation import Utterance, articulate
from jaxreact.simulation.displays import show
from jaxreact.simulation.person import draw_person
from jaxreact.simulation.story import ASSENT, SURPRISE, Display
from jaxreact.simulation.voice import synthesise
from tests.child_processes import all_end, children

FRAMES = 751
SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "data"
    simulate(SimulateConfig(out, split=(4, 2, 1), workers=1))
    return out


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def clips_of(root: Path, split: str) -> list[str]:
    return [name for row in rows_of(root / f"{split}.csv")[1:] for name in row[1:]]


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_lists_are_the_releases(root):
    for split, size in zip(SPLITS, (4, 2, 1), strict=True):
        header, *rows = rows_of(root / f"{split}.csv")
        assert header == ["", "speaker_path", "listener_path"]
        assert [row[0] for row in rows] == [str(number) for number in range(size)]
        for _, speaker, listener in rows:
            site, chat, person, clip = speaker.split("/")
            assert (site, person) == ("NoXI", "Expert_video")
            assert listener == f"{site}/{chat}/Novice_video/{clip}"
    header, *rows = rows_of(root / "data_indices.csv")
    assert header == ["site", "chat_index", "clip_index"]
    assert len(rows) == 7


def test_every_clip_has_its_three_files(root):
    for split in SPLITS:
        for name in clips_of(root, split):
            coeffs = np.load(root / split / "3D_FV_files" / f"{name}.npy")
            assert coeffs.shape == (FRAMES, 58)
            assert coeffs.dtype == np.float32
            assert np.isfinite(coeffs).all()
            assert 0 <= coeffs[:, :52].min() <= coeffs[:, :52].max() <= 1
            lines = (root / split / "Emotion" / f"{name}.csv").read_text().splitlines()
            assert len(lines) == FRAMES
            assert lines[0].split(",") == list(EMOTIONS)
            sound = soundfile.info(str(root / split / "Audio_files" / f"{name}.wav"))
            assert (sound.samplerate, sound.channels, sound.subtype) == (44100, 2, "PCM_16")
            assert sound.frames == FRAMES * 1764
    assert not (root / "train" / "Video_files").exists()


def test_emotion_is_occurrences_and_probabilities(root):
    for name in clips_of(root, "train"):
        table = np.loadtxt(root / "train" / "Emotion" / f"{name}.csv", delimiter=",", skiprows=1)
        assert set(np.unique(table[:, ACTION_UNITS])) <= {0.0, 1.0}
        np.testing.assert_allclose(table[:, EMOTION_PROBABILITIES].sum(axis=1), 1, atol=1e-4)
        assert np.abs(table[:, 15:17]).max() <= 1


def test_face_files_are_of_the_train_split(root):
    coeffs = np.concatenate(
        [np.load(root / "train" / "3D_FV_files" / f"{n}.npy") for n in clips_of(root, "train")]
    )
    mean, std = np.load(root / "mean_face.npy"), np.load(root / "std_face.npy")
    assert mean.dtype == std.dtype == np.float32
    np.testing.assert_allclose(mean, coeffs.mean(axis=0, dtype=np.float64), atol=1e-5)
    np.testing.assert_allclose(std, coeffs.std(axis=0, dtype=np.float64), atol=1e-4)
    np.testing.assert_allclose(mean[52:], (3.19, 0.045, 0, -0.006, -0.018, 1.84), atol=0.3)
    reference = np.load(root / "reference_full.npy")
    assert reference.shape == (1, 1, 486)
    assert reference.dtype == np.float32


def test_neighbours_are_the_dyads_that_tell_the_same_story(root):
    matrix = np.load(root / "Approprirate_facial_reaction.npy")
    assert matrix.shape == (14, 14)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(np.diag(matrix), 1)
    for split, size in zip(SPLITS, (4, 2, 1), strict=True):
        own = np.load(root / f"neighbour_emotion_{split}.npy")
        assert own.shape == (2 * size, 2 * size)
        assert own.dtype == np.float64
        np.testing.assert_array_equal(own, build_neighbours(root, split))
    # One story has four tellings in train: all of them are neighbours, and none of val's is.
    assert np.load(root / "neighbour_emotion_train.npy").sum(axis=1).min() >= 3
    assert matrix[:4, 4:7].sum() == 0


def test_nobody_is_in_two_splits(root):
    chats = [{name.split("/")[1] for name in clips_of(root, split)} for split in SPLITS]
    assert len(set.union(*chats)) == sum(len(own) for own in chats)


def test_same_seed_same_bytes_for_any_number_of_workers(tmp_path):
    for name, seed, workers in (("a", 1, 1), ("b", 1, 2), ("c", 2, 1)):
        simulate(SimulateConfig(tmp_path / name, dyads=4, seconds=3.0, seed=seed, workers=workers))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_a_clip_does_not_depend_on_how_many_there_are(tmp_path):
    for name, split in (("small", (1, 1, 1)), ("large", (2, 1, 1))):
        simulate(SimulateConfig(tmp_path / name, split=split, seconds=2.0, workers=1))
    clip = f"train/Audio_files/{clips_of(tmp_path / 'small', 'train')[0]}.wav"
    assert (tmp_path / "small" / clip).read_bytes() == (tmp_path / "large" / clip).read_bytes()


def test_keeps_the_same_simulation_and_refuses_anything_else(tmp_path, capsys):
    config = SimulateConfig(tmp_path / "data", dyads=3, seconds=2.0, workers=1)
    simulate(config)
    before = (config.out / "train.csv").stat().st_mtime_ns
    simulate(config)
    assert "kept" in capsys.readouterr().out
    assert (config.out / "train.csv").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="another simulation"):
        simulate(SimulateConfig(config.out, dyads=3, seconds=2.0, seed=5, workers=1))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(UserError, match="not empty"):
        simulate(SimulateConfig(tmp_path / "mine", dyads=3, seconds=2.0, workers=1))


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(run, "write_faces", fail)
    with pytest.raises(UserError, match="disk full"):
        simulate(SimulateConfig(tmp_path / "data", dyads=3, seconds=2.0, workers=1))
    assert list(tmp_path.iterdir()) == []


def test_a_killed_simulation_leaves_no_process(tmp_path):
    options = ["--out", str(tmp_path / "data"), "--dyads", "200", "--workers", "2"]
    command = [sys.executable, "-m", "jaxreact.data.simulate", *options]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while not any(tmp_path.rglob("*.wav")):  # a worker is at work
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGSTOP)  # so that no worker starts while they are listed
    workers = children(running.pid)
    running.kill()
    running.wait()
    assert len(workers) >= 2
    assert all_end(workers)


@pytest.mark.parametrize(
    "wrong", [{"dyads": 2}, {"dyads": 5, "split": (1, 1, 1)}, {"seconds": 0.1}, {"workers": 0}]
)
def test_refuses_impossible_configurations(tmp_path, wrong):
    with pytest.raises(UserError):
        SimulateConfig(tmp_path, **wrong)


def test_command_line(tmp_path, monkeypatch, capsys):
    out = tmp_path / "data"
    arguments = ["simulate", "--out", str(out), "--dyads", "3", "--seconds", "2", "--workers", "1"]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    assert json.loads((out / "simulation.json").read_text())["split"] == [1, 1, 1]
    monkeypatch.setattr("sys.argv", [*arguments, "--seed", "3"])
    with pytest.raises(SystemExit):
        run_command(main)
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_frame_folders_are_numbered_pictures(tmp_path, monkeypatch):
    pictures = np.zeros((3, 256, 256, 3), np.uint8)
    pictures[1, :100] = (255, 0, 10)
    monkeypatch.setattr(
        "jaxreact.rendering.render_frames", lambda coeffs, size: pictures, raising=False
    )
    frames.write_frames(tmp_path / "clip", np.zeros((3, 58)), 256)
    assert sorted(path.name for path in (tmp_path / "clip").iterdir()) == [
        "1.png",
        "2.png",
        "3.png",
    ]
    import av

    with av.open(str(tmp_path / "clip" / "2.png")) as file:
        shown = next(file.decode(video=0)).to_ndarray(format="rgb24")
    np.testing.assert_array_equal(shown, pictures[1])


def test_pictures_have_the_size_that_is_asked_for(tmp_path):
    plain = SimulateConfig(tmp_path)
    assert plain.picture_size is None
    assert "pictures" not in plain.identity  # data sets of before are known again
    small = SimulateConfig(tmp_path, pictures=32)
    assert (small.picture_size, small.identity["pictures"]) == (32, 32)
    assert SimulateConfig(tmp_path, video=True).picture_size == 256
    with pytest.raises(UserError, match="choose 8 to 1024 pixels, and leave --video out"):
        SimulateConfig(tmp_path, pictures=4)
    with pytest.raises(UserError, match="choose 8 to 1024 pixels, and leave --video out"):
        SimulateConfig(tmp_path, pictures=32, video=True)


def talkers(root: Path) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Of every train clip: name, mono sound, coefficients, activity."""
    found = []
    for name in clips_of(root, "train"):
        sound, rate = soundfile.read(root / "train" / "Audio_files" / f"{name}.wav")
        coeffs = np.load(root / "train" / "3D_FV_files" / f"{name}.npy")
        found.append((name, sound.mean(axis=1), coeffs, voice_activity(sound, rate)))
    return found


def test_jaw_and_sound_move_together(root):
    for _, sound, coeffs, active in talkers(root):
        if active.mean() < 0.3:
            continue
        loudness = np.sqrt((sound.reshape(FRAMES, -1) ** 2).mean(axis=1))
        jaw = coeffs[:, INDEX["jawOpen"]]
        lags = range(-6, 7)
        scores = [np.corrcoef(np.roll(loudness, lag)[10:-10], jaw[10:-10])[0, 1] for lag in lags]
        assert abs(lags[int(np.argmax(scores))]) <= 1
        assert max(scores) > 0.5


def test_speech_has_syllables_and_pauses(root):
    for _, sound, _, active in talkers(root):
        if active.mean() < 0.6:
            continue
        runs = np.diff(np.flatnonzero(np.diff(active.astype(int))))
        assert len(runs) > 8  # phrases and pauses
        envelope = np.sqrt((sound.reshape(FRAMES * 4, -1) ** 2).mean(axis=1))
        power = np.abs(np.fft.rfft(envelope - envelope.mean())) ** 2
        hertz = np.fft.rfftfreq(FRAMES * 4, 0.01)
        band = (hertz > 1) & (hertz < 20)
        # Half of the envelope's power lies at the rates of syllables, as in natural speech.
        assert power[(hertz > 2) & (hertz < 9)].sum() > 0.5 * power[band].sum()


@pytest.mark.parametrize("hertz", [105.0, 210.0])
def test_voiced_sound_repeats_at_the_pitch(hertz):
    voice = replace(draw_person(0, "somebody").voice, pitch=hertz, pitch_range=0.0)
    tract = articulate([Utterance(0.2, 2.8)], voice, 75, np.random.default_rng(0))
    sound = synthesise(tract, voice, np.random.default_rng(0))[:, 0]
    loudest = int(np.argmax(np.abs(sound))) - 1000
    piece = sound[loudest : loudest + 2646]
    repeats = np.correlate(piece, piece, "full")[2645:]
    period = 44100 / tract.pitch[loudest // 196]  # the tract's own, since no voice holds its mean
    near = slice(round(0.94 * period), round(1.06 * period))
    assert repeats[near].max() > 0.6 * repeats[0]


def test_neighbours_are_mutual_and_few():
    rng = np.random.default_rng(0)
    alike = rng.normal(size=(1, 50, 5)) + 0.4 * rng.normal(size=(30, 50, 5))
    matrix = appropriate(alike)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert matrix.sum(axis=1).max() <= 8
    assert matrix.sum(axis=1).mean() > 3
    np.testing.assert_array_equal(appropriate(rng.normal(size=(9, 50, 5))), np.eye(9))


def test_pressed_lips_give_way_to_an_open_mouth():
    face = show(
        [Display(0, SURPRISE, 1.0, 3.0, 1.0), Display(0, ASSENT, 1.0, 3.0, 1.0)], 150, 1.0, 0.0
    )
    assert face[50:75, INDEX["jawOpen"]].min() > 0.15
    assert face[50:75, INDEX["mouthPressLeft"]].max() < 0.1
    alone = show([Display(0, ASSENT, 1.0, 3.0, 1.0)], 150, 1.0, 0.0)
    assert alone[50:75, INDEX["mouthPressLeft"]].min() > 0.25


def test_a_listening_mouth_is_closed(root):
    for name, _, _, active in talkers(root):
        table = np.loadtxt(root / "train" / "Emotion" / f"{name}.csv", delimiter=",", skiprows=1)
        talking = active[:750]
        lips_part = table[:, EMOTIONS.index("AU25")]
        if talking.mean() > 0.2:
            assert lips_part[talking].mean() > 0.6
        assert lips_part[~talking].mean() < 0.4
