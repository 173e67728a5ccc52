"""Generation over a split: in any batches, however often it is interrupted, the same reactions."""

import dataclasses
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from typing import Any

import jax
import numpy as np
import pytest

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import Dyad
from jaxreact.data.split import Split, clip_names
from jaxreact.errors import UserError
from jaxreact.evaluation import generate
from jaxreact.evaluation.generate import Generation, predict
from jaxreact.evaluation.partial_results import PartialResults
from jaxreact.evaluation.stretches import Stretch, stretches
from jaxreact.predictions import Predictions, read_predictions
from jaxreact.systems.fiber.system import Fiber
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import Reactions, Speaker
from tests.checking import unchecked
from tests.evaluation.conftest import Pretended

pytestmark = pytest.mark.wrong_arguments  # pretended models

FRAMES, SAMPLES, SEED = 64, 3, 7
WANTED = Generation("train", FRAMES, SAMPLES, SEED, Sampling())
CLIPS = 4

Run = Callable[..., Path]


@pytest.fixture(scope="module")
def data(conversations) -> Conversations:
    return open_conversations(conversations)


@pytest.fixture(scope="module")
def dyads(data) -> list[Dyad]:
    found = data.dyads("train")
    assert len(found) == CLIPS
    return found


@pytest.fixture(scope="module")
def truth(data, dyads) -> tuple[np.ndarray, np.ndarray]:
    return Split(data, "train", dyads).emotions(FRAMES)


@pytest.fixture(scope="module")
def run(system, data, dyads, truth) -> Run:
    def run(out: Path, wanted: Generation = WANTED, batch: int | None = 1) -> Path:
        with unchecked():
            return predict(system, data, dyads, wanted, out, truth, batch)

    return run


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory) -> Path:
    """What a run writes that nothing interrupts, one clip at once."""
    return run(tmp_path_factory.mktemp("whole"))


def read(path: Path) -> Predictions:
    found = read_predictions(path)
    assert found.coeffs is not None
    return found


def test_each_clip_is_answered_as_if_alone(system, data, dyads, truth, whole):
    made = read(whole)
    assert made.clips == clip_names(dyads)
    np.testing.assert_array_equal(made.listener, truth[0])
    np.testing.assert_array_equal(made.speaker, truth[1])
    assert made.coeffs is not None
    for index, dyad in enumerate(dyads):
        waveform = data.waveform(dyad.speaker, 0, FRAMES)
        speaker = Speaker(data.coeffs(dyad.speaker)[None, :FRAMES], waveform[None])
        key = jax.random.fold_in(jax.random.key(SEED), index)
        reactions = system.react(speaker, SAMPLES, key=jax.random.fold_in(key, 0)[None])
        np.testing.assert_array_equal(made.coeffs[index], reactions.coeffs[0])
        np.testing.assert_array_equal(made.emotion[index], reactions.emotion[0])
    assert len({emotion.tobytes() for emotion in made.emotion.reshape(-1, FRAMES, 25)}) == 12


@pytest.mark.parametrize("batch", [2, 3, 4, 9, None])
def test_batches_change_nothing(tmp_path, run, whole, batch):
    """3 leaves a remainder of one, 9 is more than there are."""
    assert run(tmp_path, batch=batch).read_bytes() == whole.read_bytes()


def test_a_few_batches_are_traced(system, data, dyads, truth, tmp_path, capsys):
    with unchecked():
        predict(system, data, dyads, WANTED, tmp_path / "out", truth, 1, tmp_path / "trace")
    assert "trace: steps 3 to 4 are traced" in capsys.readouterr().out
    assert [path.suffix for path in (tmp_path / "trace").rglob("*.pb")] == [".pb"]


class Interruption:
    """Lets so many parts be written, then raises what a signal raises."""

    def __init__(self, monkeypatch, error: BaseException, after: int):
        self.made: list[list[int]] = []
        original = PartialResults.add

        def add(parts: PartialResults, clips: list[int], *arrays: np.ndarray) -> None:
            if len(self.made) == after:
                raise error
            original(parts, clips, *arrays)
            self.made.append(list(clips))

        monkeypatch.setattr(PartialResults, "add", add)


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("reading")]


def interrupt(monkeypatch, run: Run, out: Path, after: int, **options: Any) -> None:
    with monkeypatch.context() as patch:
        Interruption(patch, KeyboardInterrupt(), after)
        with pytest.raises(KeyboardInterrupt) as caught:
            run(out, **options)
        # Not only when the garbage collector comes by: `caught` holds all that was at work.
        assert caught.tb
        assert not reading_threads()
    assert not (out / "predictions.npz").exists()


def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch, run, whole, capsys):
    interrupt(monkeypatch, run, tmp_path, after=2)
    assert "2 clips are kept; the same command goes on" in capsys.readouterr().err
    interrupt(monkeypatch, run, tmp_path, after=1)
    (tmp_path / "parts" / ".000003.npz.abc").mkdir()  # of a killed process
    watch = Interruption(monkeypatch, KeyboardInterrupt(), after=CLIPS)
    run(tmp_path)
    assert "3 of 4 clips are finished; going on" in capsys.readouterr().out
    assert watch.made == [[3]]
    assert (tmp_path / "predictions.npz").read_bytes() == whole.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.npz"]


def test_going_on_with_other_batches(tmp_path, monkeypatch, run, whole):
    interrupt(monkeypatch, run, tmp_path, after=1, batch=3)
    assert run(tmp_path, batch=2).read_bytes() == whole.read_bytes()


def test_whole_predictions_are_not_made_again(tmp_path, monkeypatch, run, whole, capsys):
    shutil.copy(whole, tmp_path / "predictions.npz")
    interrupt_nothing = Interruption(monkeypatch, KeyboardInterrupt(), after=0)
    run(tmp_path)
    assert not interrupt_nothing.made
    assert "made with the same models, data and options; not made" in capsys.readouterr().out
    assert (tmp_path / "predictions.npz").read_bytes() == whole.read_bytes()


def test_others_are(tmp_path, run, whole):
    shutil.copy(whole, tmp_path / "predictions.npz")
    other = Generation("train", FRAMES, SAMPLES, SEED + 1, Sampling())
    made = read(run(tmp_path, other))
    assert abs(made.emotion - read(whole).emotion).max() > 0.01


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Generation("train", FRAMES, SAMPLES, 8, Sampling()), "begun with seed 7, now it is 8"),
        (Generation("train", 32, SAMPLES, SEED, Sampling()), "begun with frames 64, now it is 32"),
        (Generation("train", FRAMES, SAMPLES, SEED, Sampling(2.0)), "'temperature': None, .* 2.0"),
        (
            Generation("train", FRAMES, SAMPLES, SEED, Sampling(), "bfloat16"),
            "begun with precision tensorfloat32, now it is bfloat16",
        ),
    ],
)
def test_parts_of_another_run_are_not_gone_on_with(tmp_path, monkeypatch, run, other, words):
    interrupt(monkeypatch, run, tmp_path, after=1)
    with pytest.raises(UserError, match=words):
        run(tmp_path, other)
    assert (tmp_path / "parts" / "000000.npz").is_file()


@pytest.mark.parametrize("name", ["tokenizer", "predictor", "audio_encoder"])
def test_parts_of_other_models_are_not_gone_on_with(
    tmp_path, monkeypatch, run, system, data, dyads, truth, name
):
    interrupt(monkeypatch, run, tmp_path, after=1)
    other = dataclasses.replace(system, **{name: Pretended("other")})
    with pytest.raises(UserError, match=f"begun with {name} "):
        predict(other, data, dyads, WANTED, tmp_path, truth, 1)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: data[:9000] + b"x" + data[9001:], "does not have its checksum"),
        (lambda data: b"", "damaged"),
    ],
)
def test_a_damaged_part_is_named(tmp_path, monkeypatch, run, damage, words):
    interrupt(monkeypatch, run, tmp_path, after=2)
    part = tmp_path / "parts" / "000001.npz"
    part.write_bytes(damage(part.read_bytes()))
    with pytest.raises(UserError, match=words) as caught:
        run(tmp_path)
    assert str(caught.value).startswith(str(part))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "predictions.npz").exists()


def test_reactions_that_are_not_finite_stop_it(tmp_path, monkeypatch, run):
    real = Fiber.react

    def broken(*arguments: Any, **options: Any) -> Reactions:
        reactions = real(*arguments, **options)
        return Reactions(reactions.coeffs, reactions.emotion.at[0, 1, 5, 2].set(np.nan))

    monkeypatch.setattr(Fiber, "react", broken)
    words = r"generated emotion: nan in clip 0 \(.*/1\), sample 1, frame 5, channel 2"
    with pytest.raises(UserError, match=words):
        run(tmp_path)
    assert not list(tmp_path.glob("**/*.npz"))


def test_a_full_disk_is_noticed_first(tmp_path, monkeypatch, run):
    usage = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr(generate.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"generation needs 0\.0 GB, the disk has 0\.0 GB free"):
        run(tmp_path)


def test_the_next_batches_are_read_before_they_are_asked_for():
    """Two of them; closed, nothing more is read and no thread is left."""
    asked = Queue[int]()

    def read(some: list[Stretch]) -> list[Any]:
        asked.put(some[0].clip)
        return [{"clip": np.asarray(some[0].clip)}]

    wanted = [[each] for each in stretches([32] * 9, range(9), None)]
    batches = generate._read_ahead(wanted, read)
    some, items = next(batches)
    assert some == wanted[0]
    assert items[0]["clip"] == 0
    assert [asked.get(timeout=60) for _ in range(3)] == [0, 1, 2]
    assert [next(batches)[0], next(batches)[0]] == wanted[1:3]
    batches.close()
    assert not reading_threads()
    assert asked.qsize() <= 2
