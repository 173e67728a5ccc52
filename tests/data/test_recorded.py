"""Recorded faces, whether they lie in folders of frames or in films."""

import numpy as np
import pytest
from PIL import Image

from jaxreact.data.recorded import frame_addresses, recorded_at, recorded_frames
from jaxreact.errors import UserError
from jaxreact.media.video_writer import write_video


def grey(value: int) -> np.ndarray:
    return np.full((16, 24, 3), value, np.uint8)


def greys(frames) -> list[int]:
    return [int(frame[8, 8, 0]) for frame in frames]


def test_a_folder_of_frames(tmp_path):
    for number in (1, 2, 10, 3):
        Image.fromarray(grey(20 * number)).save(tmp_path / f"{number}.png")
    (tmp_path / "._1.png").write_bytes(b"junk")
    assert greys(recorded_frames(tmp_path, 3)) == [20, 40, 60]
    assert greys(recorded_frames(tmp_path, 6)) == [20, 40, 60, 200, 200, 200]
    assert greys(recorded_at(tmp_path, [0, 2, 9])) == [20, 60, 200]
    assert frame_addresses(tmp_path, [0, 3]) == [str(tmp_path / "1.png"), str(tmp_path / "10.png")]
    (tmp_path / "2.png").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"2\.png: not a readable image"):
        greys(recorded_frames(tmp_path, 3))


def test_a_film_of_another_rate(tmp_path):
    film = tmp_path / "1.mp4"
    write_video(film, (grey(10 * number) for number in range(20)), fps=50)
    assert np.abs(np.array(greys(recorded_frames(film, 4))) - [0, 20, 40, 60]).max() <= 4
    assert len(greys(recorded_frames(film, 12))) == 12
    assert np.abs(np.array(greys(recorded_at(film, [1, 3]))) - [20, 60]).max() <= 4
    assert frame_addresses(film, [0, 1]) == [str(film)]


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(UserError, match=f"{tmp_path.name}: holds no frames"):
        greys(recorded_frames(tmp_path, 2))
