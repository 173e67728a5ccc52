"""`python -m jaxreact.react` with systems that need other things of the speaker than a face."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.face import EMOTIONS
from jaxreact.react import command as react
from jaxreact.react.config import Config
from jaxreact.systems.sampling import Sampling
from jaxreact.systems.system import Reactions, Speaker
from jaxreact.tracking.face_crop import face_frames
from jaxreact.tracking.track import Track
from tests.clips import CARPHONE

pytestmark = pytest.mark.wrong_arguments
CENTRE = (0.6, 0.5)


@dataclass
class Noted:
    """A system that notes what it is given, and answers with faces of zeros, or none."""

    needs: frozenset[str] = frozenset({"emotion"})
    picture_side: int | None = None
    gives_faces: bool = True
    given: list[Speaker] = field(default_factory=list)
    name: str = "noted"
    options: frozenset[str] = frozenset()
    frame_multiple: int = 1

    def in_precision(self, precision):
        return self

    def react(self, speaker, num_samples, *, key):
        self.given.append(speaker)
        parts = {name: part for name, part in vars(speaker).items() if part is not None}
        frames = next(part.shape[1] for name, part in parts.items() if name != "waveform")
        emotion = jnp.zeros((1, num_samples, frames, 25))
        coeffs = jnp.zeros((1, num_samples, frames, 58)) if self.gives_faces else None
        return Reactions(coeffs, emotion)


def _track(frames: int, stopped: bool = False) -> Track:
    coeffs = np.random.default_rng(0).uniform(size=(frames, 58)).astype("f4")
    return Track(coeffs, np.ones(frames, bool), (), 25.0, frames, 0, CENTRE, stopped=stopped)


def _csv(folder: Path, frames: int) -> Path:
    path = folder / "emotion.csv"
    table = np.arange(frames * 25).reshape(frames, 25) / 1000
    np.savetxt(path, table, delimiter=",", header=",".join(EMOTIONS), comments="", fmt="%.3f")
    return path


@pytest.fixture
def whole_way(monkeypatch):
    """Runs the command with a system, a tracked face and sound; returns what the system got."""

    def run(system: Noted, config: Config, frames: int = 40, stopped: bool = False) -> Speaker:
        monkeypatch.setattr(react, "load", lambda *_: system)
        monkeypatch.setattr(react, "track_video", lambda *_, **__: _track(frames, stopped))
        monkeypatch.setattr(react, "read_audio", lambda *_, **__: np.ones(frames * 640, "f4"))
        monkeypatch.setattr(react, "draw", lambda *_: None)
        monkeypatch.setattr(react, "doubts_of_sound", lambda *_: ())
        react.run(config)
        (speaker,) = system.given
        return speaker

    return run


def test_a_system_that_sees_gets_the_pictures_around_the_face(tmp_path, whole_way):
    system = Noted(frozenset({"audio", "video"}), picture_side=32)
    speaker = whole_way(system, Config(CARPHONE, tmp_path / "out", tmp_path / "run"))
    assert (speaker.coeffs, speaker.emotion) == (None, None)
    assert np.shape(speaker.waveform) == (1, 40 * 640)
    expected = list(face_frames(CARPHONE, 40, CENTRE, 32))
    np.testing.assert_array_equal(np.asarray(speaker.video)[0], expected)
    assert (tmp_path / "out" / "reaction.npz").exists()


@pytest.mark.parametrize(("rows", "used"), [(40, 40), (33, 33), (47, 40)])
def test_emotion_comes_from_a_table(tmp_path, whole_way, rows, used):
    """As long as the video, or up to half a second off, as trackers leave it."""
    config = Config(CARPHONE, tmp_path / "out", tmp_path / "run", emotion=_csv(tmp_path, rows))
    speaker = whole_way(Noted(), config)
    assert (speaker.coeffs, speaker.waveform, speaker.video) == (None, None, None)
    expected = np.arange(used * 25).reshape(1, used, 25) / 1000
    np.testing.assert_allclose(np.asarray(speaker.emotion), expected, atol=1e-6)
    with np.load(tmp_path / "out" / "reaction.npz") as made:
        assert (len(made["speaker"]), made["emotion"].shape) == (used, (1, used, 25))


def test_a_table_of_another_rate_is_refused(tmp_path, whole_way):
    config = Config(CARPHONE, tmp_path / "out", tmp_path / "run", emotion=_csv(tmp_path, 60))
    with pytest.raises(UserError, match=r"emotion\.csv: 60 frames are 2\.40 s at 25 a second, and"):
        whole_way(Noted(), config)
    with pytest.raises(UserError, match=r"emotion\.csv: 60 frames .* has 3\.20 s"):
        whole_way(Noted(), config, frames=80)
    assert not (tmp_path / "out").exists()
    cut = dataclasses.replace(config, seconds=1.6)
    assert np.shape(whole_way(Noted(), cut, stopped=True).emotion) == (1, 40, 25)


def test_emotion_that_is_not_needed_is_not_read(tmp_path, whole_way):
    config = Config(CARPHONE, tmp_path / "out", tmp_path / "run", emotion=tmp_path / "none.csv")
    with pytest.warns(Remark, match=r"none\.csv: not read, noted does not need it"):
        speaker = whole_way(Noted(frozenset({"coeffs"})), config)
    assert speaker.emotion is None


@pytest.mark.parametrize(
    ("system", "changes", "words"),
    [
        (Noted(), {}, r"run: noted needs the speaker's emotion, .* --emotion FILE\.csv"),
        (Noted(frozenset({"DECA codes"})), {}, "run: noted needs the speaker's DECA codes"),
        (
            Noted(frozenset({"coeffs"})),
            {"sampling": Sampling(top_k=3)},
            "run: noted draws no codes",
        ),
        (
            Noted(frozenset({"coeffs"}), gives_faces=False),
            {},
            "noted: gives emotion alone here, no faces",
        ),
    ],
)
def test_what_lacks_is_named(tmp_path, whole_way, system, changes, words):
    with pytest.raises(UserError, match=words):
        whole_way(system, Config(CARPHONE, tmp_path / "out", tmp_path / "run", **changes))
    assert not (tmp_path / "out").exists()
