"""Which pictures are taken of folders and videos, and what is said of those that cannot be read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jaxreact.errors import UserError
from jaxreact.media.video_writer import write_video
from jaxreact.metrics.realism.pictures import find_pictures


def grey(value: int) -> np.ndarray:
    return np.full((16, 16, 3), value, np.uint8)


def save(folder: Path, *names: str) -> Path:
    """Images whose grey is the number in their name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        number = int("".join(filter(str.isdecimal, name)))
        Image.fromarray(grey(number)).save(folder / name)
    return folder


def greys(found) -> list[int]:
    return [int(picture[8, 8, 0]) for picture in found]


def test_images_are_sorted_by_number(tmp_path):
    save(tmp_path, "frame_10.png", "frame_2.png", "frame_1.PNG", "frame_100.png")
    (tmp_path / "notes.txt").touch()
    (tmp_path / "._frame_3.png").write_bytes(b"a Macintosh's")
    found = find_pictures(tmp_path)
    assert greys(found) == [1, 2, 10, 100]
    assert greys(found) == [1, 2, 10, 100]  # again from the first
    assert found.count() == 4


def test_every_nth_image_of_each_folder(tmp_path):
    save(tmp_path / "clip10", *(f"{number}.png" for number in range(100, 105)))
    save(tmp_path / "clip2" / "b", *(f"{number}.png" for number in range(5)))
    save(tmp_path / "clip2" / "c", "77.png")
    found = find_pictures(tmp_path, every=2)
    assert greys(found) == [0, 2, 4, 77, 100, 102, 104]
    assert found.count() == 7


def test_every_nth_frame_of_each_video(tmp_path):
    for name, first in (("a10.mp4", 100), ("a9.mp4", 0)):
        write_video(tmp_path / name, (grey(first + 10 * number) for number in range(7)))
    found = find_pictures(tmp_path, every=3)
    assert found.count() == 6
    np.testing.assert_allclose(greys(found), [0, 30, 60, 100, 130, 160], atol=3)
    single = find_pictures(tmp_path / "a9.mp4", every=30)
    assert single.count() == len(list(single)) == 1


def test_unreadable_files_are_named(tmp_path):
    save(tmp_path, "1.png", "2.png")
    whole = (tmp_path / "2.png").read_bytes()
    for damaged in (b"", b"no image", whole[:-30]):
        (tmp_path / "2.png").write_bytes(damaged)
        with pytest.raises(UserError, match=r"2\.png: not a readable image"):
            list(find_pictures(tmp_path))
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "1.mp4").write_bytes(b"no video")
    with pytest.raises(UserError, match=r"1\.mp4: cannot be read as film or sound"):
        list(find_pictures(tmp_path / "video"))


def test_paths_that_hold_nothing_to_read(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        find_pictures(tmp_path / "none")
    with pytest.raises(UserError, match="holds no images or videos"):
        find_pictures(tmp_path)
    save(tmp_path, "1.png")
    with pytest.raises(UserError, match=r"1\.png: give a folder"):
        find_pictures(tmp_path / "1.png")
    with pytest.raises(UserError, match="every 0"):
        find_pictures(tmp_path, every=0)
    (tmp_path / "1.mp4").touch()
    with pytest.raises(UserError, match="both images and videos"):
        find_pictures(tmp_path)
