"""How much of a clip is used by `python -m jaxreact.react`, and what it says of the rest."""

from pathlib import Path

import pytest

from jaxreact.errors import UserError
from jaxreact.react.lengths import generating, usable_frames

VIDEO = Path("v.mp4")


@pytest.mark.parametrize(("frames", "expected"), [(32, 32), (100, 96), (127, 96), (750, 736)])
def test_whole_blocks_are_used(frames, expected):
    assert usable_frames(VIDEO, VIDEO, frames, frames * 640, 32) == expected


def test_clips_that_cannot_be_used():
    with pytest.raises(UserError, match=r"v\.mp4: 1\.24 s are too short; at least 1\.28 s"):
        usable_frames(VIDEO, VIDEO, 31, 31 * 640, 32)
    with pytest.raises(UserError, match=r"v\.mp4: the sound ends 2\.0 s before the picture;"):
        usable_frames(VIDEO, VIDEO, 100, 50 * 640, 32)
    with pytest.raises(UserError, match=r"before the picture, after 1\.24 s; at least 1\.28 s"):
        usable_frames(VIDEO, VIDEO, 100, 31 * 640, 32)
    assert usable_frames(VIDEO, VIDEO, 100, 90 * 640, 32) == 96


@pytest.mark.parametrize("samples", [20480, 20799, 32736, 54399])
def test_what_is_said_of_missing_sound_helps(samples):
    """So many seconds of picture, rounded up to frames or down, are then used."""
    with pytest.raises(UserError, match=r"end there too \(--seconds ") as refused:
        usable_frames(VIDEO, VIDEO, 100, samples, 32)
    seconds = float(str(refused.value).rsplit(" ", 1)[1].rstrip(")"))
    assert samples / 16000 - 0.01 < seconds <= samples / 16000
    for frames in (int(seconds * 25 + 1e-6), int(seconds * 25 + 1)):
        assert usable_frames(VIDEO, VIDEO, frames, int(seconds * 16000), 32) >= 32


def test_frames_that_fill_no_block_are_said():
    line = generating(2, 96, 100, 32)
    assert line == "generating 2 x 3.84 s; the last 0.16 s fill no block of 32 frames"
    assert generating(1, 96, 96, 32) == "generating 1 x 3.84 s"
