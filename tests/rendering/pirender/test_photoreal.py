"""Windows over a clip, and the pictures that the face generator makes of them."""

from itertools import islice
from typing import Any

import numpy as np
import pytest

import jaxreact
from jaxreact.errors import UserError
from jaxreact.rendering.pirender.config import UPSTREAM
from jaxreact.rendering.pirender.load import FaceGenerator
from jaxreact.rendering.pirender.photoreal import photoreal_frames, windows
from tests.rendering.pirender.weights import portraits

PORTRAIT = portraits()[0]
COEFFS = np.random.default_rng(0).standard_normal((11, 58)).astype(np.float32)


@pytest.fixture(scope="module")
def loaded(pirender) -> FaceGenerator:
    return jaxreact.load_face_generator(pirender)


def frames(loaded: FaceGenerator, coeffs: np.ndarray = COEFFS, **options) -> np.ndarray:
    return np.stack(list(photoreal_frames(loaded, PORTRAIT, coeffs, **options)))


def test_windows_reach_over_the_whole_clip():
    coeffs = np.arange(40, dtype=np.float32)[:, None] * np.ones((1, 58), np.float32)
    made = windows(coeffs)
    assert made.shape == (40, 27, 58)
    assert (made == made[..., :1]).all()
    made = made[..., 0]
    np.testing.assert_array_equal(made[20], np.arange(7, 34))
    np.testing.assert_array_equal(made[0], [0] * 13 + list(range(14)))
    np.testing.assert_array_equal(made[38], [*range(25, 40), *[39] * 12])
    np.testing.assert_array_equal(made[:, 13], np.arange(40))


def test_windows_of_a_part_are_those_of_the_whole():
    some = np.array([3, 4, 9, 5])
    np.testing.assert_array_equal(windows(COEFFS, some), windows(COEFFS)[some])


def test_the_originals_windows_see_five_frames():
    made = windows(COEFFS, radius=3, original_windows=True)
    seen = [[np.abs(COEFFS - frame).sum(axis=1).argmin() for frame in window] for window in made]
    assert seen[0] == [0, 0, 0, 0, 1, 2, 3]
    assert seen[4] == [1, 2, 3, 4, 4, 4, 4]
    assert seen[5] == [5, 5, 5, 5, 6, 7, 8]
    assert seen[10] == [10] * 7  # the clip ends within its five
    np.testing.assert_array_equal(
        windows(COEFFS, np.arange(6, 11), radius=3, original_windows=True), made[6:11]
    )


@pytest.mark.parametrize("length", [1, 3])
def test_a_clip_shorter_than_a_window(length):
    made = windows(COEFFS[:length])
    assert made.shape == (length, 27, 58)
    np.testing.assert_array_equal(made[0, 0], COEFFS[0])
    np.testing.assert_array_equal(made[0, -1], COEFFS[length - 1])


def test_frames_are_the_generators_pictures(loaded):
    made = frames(loaded)
    assert made.shape == (11, 64, 64, 3)
    assert made.dtype == np.uint8
    fake = loaded(np.repeat(PORTRAIT[None], 11, axis=0), windows(COEFFS)).fake
    expected = ((np.asarray(fake) * 0.5 + 0.5) * 255).clip(0, 255)
    assert np.abs(made - np.floor(expected)).max() <= 1, "a fraction may fall either way"
    assert (made == np.floor(expected)).mean() > 0.99
    assert np.std(made.astype(float), axis=0).mean() > 1, "the face moves"


def test_single_frames_see_their_neighbours(loaded):
    np.testing.assert_array_equal(
        frames(loaded, only=[2, 7, 10], batch=2), frames(loaded)[[2, 7, 10]]
    )


@pytest.mark.parametrize("batch", [1, 4, 64])
def test_batches_do_not_show(loaded, batch):
    """Nor does the filling of the last one; and twice is the same."""
    expected = frames(loaded)
    np.testing.assert_array_equal(frames(loaded, batch=batch), expected)
    np.testing.assert_array_equal(frames(loaded, batch=batch), expected)


@pytest.mark.slow
def test_on_an_accelerator_a_batch_is_computed_at_once(pirender, loaded):
    whole = jaxreact.load_face_generator(pirender)
    whole.__dict__["_on_processor"] = False
    difference = np.abs(frames(whole, batch=4).astype(int) - frames(loaded))
    assert difference.max() <= 1
    assert difference.mean() < 0.01


def test_original_windows_change_pictures(loaded):
    original = frames(loaded, original_windows=True)
    assert (original != frames(loaded)).any(axis=(1, 2, 3)).all()
    alone = [frames(loaded, COEFFS[i : i + 5]) for i in (0, 5, 10)]
    np.testing.assert_array_equal(original, np.concatenate(alone))


def test_bfloat16(loaded):
    difference = np.abs(frames(loaded, dtype="bfloat16").astype(int) - frames(loaded))
    assert 0 < difference.mean() < 3


def test_frames_come_one_at_a_time(loaded):
    """A clip of four hours begins at once."""
    coeffs = np.broadcast_to(COEFFS[:1], (360_000, 58))
    made = list(islice(photoreal_frames(loaded, PORTRAIT, coeffs, batch=4), 5))
    np.testing.assert_array_equal(made[0], made[4])


def test_no_frames_of_no_coefficients(loaded):
    assert list(photoreal_frames(loaded, PORTRAIT, COEFFS[:0])) == []


@pytest.mark.wrong_arguments
def test_what_does_not_fit_is_said_before_anything_is_computed(loaded):
    bad = COEFFS.copy()
    bad[3, 2] = np.nan
    cases: list[tuple[np.ndarray, np.ndarray, dict[str, Any], str]] = [
        (PORTRAIT, bad, {}, "frame 3 holds a value that is not finite"),
        (PORTRAIT, COEFFS[:, :57], {}, r"expected \(time, 58\)"),
        (PORTRAIT[:60], COEFFS, {}, "multiples of 16"),
        (PORTRAIT[..., 0], COEFFS, {}, r"expected \(height, width, 3\)"),
        (PORTRAIT * 255, COEFFS, {}, r"numbers in \[-1, 1\]"),
        (np.full_like(PORTRAIT, np.nan), COEFFS, {}, r"numbers in \[-1, 1\]"),
        (np.zeros((64, 64, 3), np.uint8), COEFFS, {}, r"numbers in \[-1, 1\]"),
        (PORTRAIT, COEFFS, {"batch": 0}, "batch: 0"),
        (PORTRAIT, COEFFS, {"dtype": "float16"}, "'float16' is not one of"),
    ]
    for portrait, coeffs, options, reason in cases:
        with pytest.raises(UserError, match=reason):
            photoreal_frames(loaded, portrait, coeffs, **options)


def test_upstreams_generator_takes_other_coefficients(loaded, monkeypatch):
    monkeypatch.setattr(loaded, "config", UPSTREAM)
    with pytest.raises(UserError, match="takes 73 coefficients of the Basel Face Model"):
        photoreal_frames(loaded, PORTRAIT, COEFFS)


def test_no_generator_there(tmp_path):
    with pytest.raises(UserError, match=r"convert_weights\.py pirender cur_model_fold\.pth"):
        jaxreact.load_face_generator(tmp_path)
    (tmp_path / "config.json").write_text('{"kind": "inception"}')
    with pytest.raises(UserError, match="kind is 'inception', expected 'face_generator'"):
        jaxreact.load_face_generator(tmp_path)
