from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jaxreact.data.conversations import open_conversations
from jaxreact.errors import UserError
from jaxreact.predictions import Predictions, write_predictions
from jaxreact.rendering.pictures.reactions import Recording, read_reactions
from tests.rendering.files import CLIPS, FRAMES, feeling, moving, predictions_file, reaction_file


@pytest.mark.parametrize("clip", ["1", CLIPS[1]])
def test_a_clip_is_found_by_its_number_and_by_its_name(tmp_path, clip):
    found = read_reactions(predictions_file(tmp_path / "p.npz"), Recording(clip=clip))
    assert found.clip == CLIPS[1]
    assert found.frames == FRAMES
    np.testing.assert_array_equal(found.coeffs, moving(2, 3, FRAMES)[1])
    np.testing.assert_array_equal(found.emotion, feeling(2, 3, FRAMES)[1])
    assert found.speaker.coeffs is None
    np.testing.assert_array_equal(found.listener.emotion, feeling(2, FRAMES, seed=51)[1])
    np.testing.assert_array_equal(found.speaker.emotion, feeling(2, FRAMES, seed=52)[1])
    assert found.sound is None


def test_the_data_set_adds_the_recorded_persons_and_the_sound(tmp_path, conversations):
    data = open_conversations(conversations)
    dyads = data.dyads("val")
    names = [dyad.speaker.name for dyad in dyads]
    path = predictions_file(tmp_path / "p.npz", names)
    found = read_reactions(path, Recording(clip=names[-1], data=conversations))
    np.testing.assert_array_equal(found.speaker.coeffs, data.coeffs(dyads[-1].speaker)[:FRAMES])
    np.testing.assert_array_equal(found.listener.coeffs, data.coeffs(dyads[-1].listener)[:FRAMES])
    np.testing.assert_array_equal(found.listener.emotion, data.emotion(dyads[-1].listener)[:FRAMES])
    assert found.sound is not None
    assert len(found.sound[0]) == pytest.approx(found.sound[1] * FRAMES / 25, abs=1)


def test_everybody_is_cut_to_the_shortest(tmp_path, conversations):
    dyads = open_conversations(conversations).dyads("val")
    long = max(dyad.frames for dyad in dyads) + 7
    names = [dyad.speaker.name for dyad in dyads]
    path = predictions_file(tmp_path / "p.npz", names, samples=1, frames=long)
    found = read_reactions(path, Recording(data=conversations))
    assert found.frames == dyads[0].frames
    assert found.emotion is not None
    assert found.speaker.coeffs is not None
    assert found.emotion.shape[1] == len(found.speaker.coeffs) == dyads[0].frames


def test_a_reaction_holds_its_speaker_and_takes_sound_from_a_file(tmp_path):
    sound = tmp_path / "voice.wav"
    soundfile.write(sound, np.full(16000, 0.25, np.float32), 16000)
    found = read_reactions(reaction_file(tmp_path / "me" / "reaction.npz"), Recording(sound=sound))
    assert found.clip == "me"
    assert found.coeffs.shape == (2, FRAMES, 58)
    np.testing.assert_array_equal(found.speaker.coeffs, moving(FRAMES, seed=50))
    assert found.sound is not None
    assert len(found.sound[0]) == 16000 * FRAMES // 25


def emotion_alone(path: Path) -> Path:
    write_predictions(path, Predictions(feeling(2, 3, FRAMES), clips=CLIPS))
    return path


def odd_shape(path: Path) -> Path:
    np.savez(path, coeffs=np.zeros((3, 57)), emotion=np.zeros((3, 25)))
    return path


def not_finite(path: Path) -> Path:
    coeffs = moving(2, FRAMES)
    coeffs[1, 3, 5] = np.nan
    np.savez(path, coeffs=coeffs)
    return path


def short_speaker(path: Path) -> Path:
    np.savez(path, coeffs=moving(2, FRAMES), speaker=moving(FRAMES - 1))
    return path


def damaged(path: Path) -> Path:
    content = predictions_file(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def text(path: Path) -> Path:
    path.write_text("hello")
    return path


@pytest.mark.parametrize(
    ("make", "recording", "message"),
    [
        (lambda path: path, Recording(), "no such file"),
        (text, Recording(), "no npz file"),
        (damaged, Recording(), "damaged"),
        (emotion_alone, Recording(), "no face coefficients"),
        (odd_shape, Recording(), r"\(3, 57\)"),
        (not_finite, Recording(), "sample 1, frame 3, channel 5"),
        (short_speaker, Recording(), "shape"),
        (predictions_file, Recording(clip="2"), "--clip 2: .*0 to 1"),
        (predictions_file, Recording(clip="-1"), "--clip -1"),
        (predictions_file, Recording(clip="NoXI/b/Expert"), f"such as {CLIPS[1]}"),
        (predictions_file, Recording(data=Path("nowhere")), "nowhere"),
        (predictions_file, Recording(sound=Path("no.wav")), "no.wav"),
        (reaction_file, Recording(clip="1"), "its one clip is 0"),
        (reaction_file, Recording(data=Path("nowhere")), "leave out --data"),
    ],
)
def test_refuses_in_one_line(
    tmp_path, make: Callable[[Path], Path], recording: Recording, message: str
):
    with pytest.raises(UserError, match=message) as caught:
        read_reactions(make(tmp_path / "p.npz"), recording)
    assert "\n" not in str(caught.value)


def test_clips_of_another_data_set_are_refused(tmp_path, conversations):
    path = predictions_file(tmp_path / "p.npz")
    with pytest.raises(UserError, match=r"p\.npz"):
        read_reactions(path, Recording(data=conversations))
