"""Portraits: size, range, orientation, and files that are none."""

import numpy as np
import pytest
from PIL import Image

from jaxreact.errors import UserError
from jaxreact.media.video_writer import write_video
from jaxreact.rendering.pirender.portrait import read_portrait


def halves(height: int, width: int) -> np.ndarray:
    """White above black, red in the left column of quarters."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2] = 255
    picture[:, : width // 4] = (255, 0, 0)
    return picture


@pytest.mark.parametrize(("height", "width"), [(256, 256), (300, 500), (720, 256), (64, 40)])
def test_the_middle_of_any_picture(height, width):
    portrait = read_portrait(halves(height, width))
    assert portrait.shape == (224, 224, 3)
    assert portrait.dtype == np.float32
    np.testing.assert_allclose(portrait[10, 200], 1, atol=1e-6)
    np.testing.assert_allclose(portrait[-10, 200], -1, atol=1e-6)
    shorter = 256 / min(height, width)
    left_quarter = max(0, round(width * shorter / 4 - (width * shorter - 224) / 2))
    red = (portrait[10] == [1, -1, -1]).all(axis=-1).sum()
    assert red == pytest.approx(left_quarter, abs=4)


def test_pixels_of_the_data_sets_videos_are_only_cut():
    picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    expected = picture[16:240, 16:240].astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(read_portrait(picture), expected, atol=1e-6)


def test_shrinking_is_free_of_aliasing():
    """One pixel in two is white: grey at half the size, not black or white."""
    picture = np.zeros((1024, 1024, 3), np.uint8)
    picture[::2] = 255
    assert np.abs(read_portrait(picture)).max() < 0.05


def test_a_transform_of_torchvision():
    transforms = pytest.importorskip("torchvision.transforms")
    steps = [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor()]
    transform = transforms.Compose([*steps, transforms.Normalize([0.5] * 3, [0.5] * 3)])
    for shape in ((333, 501, 3), (1001, 260, 3), (99, 100, 3)):
        picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        expected = transform(Image.fromarray(picture)).permute(1, 2, 0)
        np.testing.assert_allclose(read_portrait(picture), expected, atol=1e-6)


def test_files(tmp_path):
    picture = halves(300, 400)
    expected = read_portrait(picture)
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_portrait(tmp_path / "a.png"), expected)
    np.testing.assert_array_equal(read_portrait(str(tmp_path / "a.png")), expected)
    Image.fromarray(picture).convert("RGBA").save(tmp_path / "b.png")
    np.testing.assert_array_equal(read_portrait(tmp_path / "b.png"), expected)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a right angle to show
    turned = Image.fromarray(np.rot90(picture).copy())
    turned.save(tmp_path / "c.png", exif=exif)
    np.testing.assert_array_equal(read_portrait(tmp_path / "c.png"), expected)


def test_the_first_picture_of_a_video(tmp_path):
    frames = [halves(256, 256), np.zeros((256, 256, 3), np.uint8)]
    write_video(tmp_path / "clip.mp4", frames)
    difference = np.abs(read_portrait(tmp_path / "clip.mp4") - read_portrait(frames[0]))
    assert np.median(difference) < 0.05


def test_another_size():
    portrait = read_portrait(halves(512, 512), size=64)
    assert portrait.shape == (64, 64, 3)
    larger = read_portrait(halves(512, 512))[2::7, 2::7]
    assert np.abs(portrait[1::2, 1::2] - larger).mean() < 0.1


@pytest.mark.wrong_arguments
def test_what_is_no_portrait(tmp_path):
    (tmp_path / "text.png").write_text("hello")
    Image.fromarray(np.zeros((4, 4), np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(UserError, match=r"text\.png: not a readable image"):
        read_portrait(tmp_path / "text.png")
    with pytest.raises(UserError, match=r"deep\.png: mode I;16; save it with 8 bits"):
        read_portrait(tmp_path / "deep.png")
    with pytest.raises(UserError, match=r"none\.jpg: no such file"):
        read_portrait(tmp_path / "none.jpg")
    with pytest.raises(UserError, match=r"none\.mp4: no such file"):
        read_portrait(tmp_path / "none.mp4")
    with pytest.raises(UserError, match="not a readable image"):
        read_portrait(tmp_path)
    for array in (np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(UserError, match="portrait: expected uint8"):
            read_portrait(array)
