from pathlib import Path

import av
import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.media.video_writer import write_video
from jaxreact.rendering.compose import letterbox, side_by_side

RATE = 44100


def clip(count: int, high: int = 48, wide: int = 64):
    return (np.full((high, wide, 3), 5 * index, np.uint8) for index in range(count))


def tone(seconds: float, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * 440 / rate)).astype("f4")


def seconds_of(path: Path) -> dict[str, float]:
    with av.open(str(path)) as container:
        return {
            stream.codec_context.name: float((stream.duration or 0) * (stream.time_base or 0))
            for stream in container.streams
        }


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 12345])
def test_video_is_h264_with_sound_cut_to_its_length(tmp_path, rate):
    path = tmp_path / "new" / "clip.mp4"
    assert write_video(path, clip(30), audio=(tone(3, rate), rate)) == 30
    length = seconds_of(path)
    assert length["h264"] == pytest.approx(1.2)
    assert length["aac"] == pytest.approx(1.2, abs=0.15)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert container.streams.video[0].average_rate == 25
        pictures = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert len(pictures) == 30
    assert [int(p.mean()) for p in pictures[::10]] == pytest.approx([0, 50, 100], abs=4)


def test_sound_comes_back_at_its_place(tmp_path):
    silence_then_tone = np.concatenate([np.zeros(RATE, "f4"), tone(1)])
    stereo = np.stack([silence_then_tone, silence_then_tone], axis=1)
    write_video(tmp_path / "a.mp4", clip(50), audio=(stereo, RATE))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.audio[0].channels == 2
        sound = np.concatenate([f.to_ndarray() for f in container.decode(audio=0)], axis=1)[0]
    assert np.abs(sound[2000 : int(0.9 * RATE)]).max() < 0.02
    assert np.sqrt((sound[int(1.1 * RATE) : int(1.9 * RATE)] ** 2).mean()) > 0.15


def test_odd_sides_are_lengthened(tmp_path):
    write_video(tmp_path / "odd.mp4", clip(3, 33, 47))
    with av.open(str(tmp_path / "odd.mp4")) as container:
        assert (container.streams.video[0].height, container.streams.video[0].width) == (34, 48)


def failing():
    yield from clip(5)
    raise RuntimeError("renderer broke")


@pytest.mark.parametrize(
    ("frames", "audio", "error"),
    [
        (failing, None, RuntimeError),
        (lambda: iter(()), None, UserError),
        (lambda: iter([np.zeros((8, 8, 3), "u1"), np.zeros((8, 10, 3), "u1")]), None, UserError),
        (lambda: iter([np.zeros((8, 8, 3), "f4")]), None, UserError),
        (lambda: clip(2), (np.array([np.nan], "f4"), RATE), UserError),
        (lambda: clip(2), (np.zeros((9, 3), "f4"), RATE), UserError),
        (lambda: clip(2), (np.zeros(0, "f4"), RATE), UserError),
    ],
)
@pytest.mark.wrong_arguments
def test_failure_leaves_what_was_there(tmp_path, frames, audio, error):
    path = tmp_path / "kept.mp4"
    path.write_bytes(b"before")
    with pytest.raises(error):
        write_video(path, frames(), audio=audio)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_letterbox_keeps_the_aspect_ratio():
    square = letterbox(np.full((30, 60, 3), 200, np.uint8), 40)
    assert (square[:10] == 0).all()
    assert (square[30:] == 0).all()
    assert (square[10:30] == 200).all()


def test_panels_stand_side_by_side_and_only_labelled_ones_are_written_on():
    panels = [clip(3, 40, 40), clip(5, 80, 80)]
    pictures = list(side_by_side(panels, ("speaker", ""), 40))
    assert len(pictures) == 3
    assert pictures[2].shape == (40, 80, 3)
    assert (pictures[2][:, 40:] == 10).all()
    assert (pictures[2][-14:, :40] > 200).any()
    assert (pictures[2][:20, :40] == 10).all()


@pytest.mark.parametrize("size", [100, 1764, 100_000])
def test_sound_that_comes_a_little_at_a_time(tmp_path, size):
    whole = tone(1.5)
    parts = (whole[first : first + size] for first in range(0, len(whole), size))
    write_video(tmp_path / "whole.mp4", clip(30), audio=(whole, RATE))
    write_video(tmp_path / "parts.mp4", clip(30), audio=(parts, RATE))
    assert (tmp_path / "parts.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    with pytest.raises(UserError, match="holds no samples"):
        write_video(tmp_path / "none.mp4", clip(3), audio=(iter(()), RATE))
