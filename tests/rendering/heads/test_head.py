"""`HeadModel.vertices` beside the same equation in NumPy, float64."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from jaxreact.errors import UserError
from jaxreact.face import INDEX, NEUTRAL_ROTATION, NEUTRAL_TRANSLATION
from jaxreact.rendering import HeadModel, load_builtin_head
from jaxreact.rendering.heads import head as head_module
from jaxreact.rendering.heads.pose import rotation_matrices


def random_coeffs(frames: int, seed: int = 0) -> np.ndarray:
    """Raw coefficients; in about half of them mouthClose goes further than jawOpen."""
    rng = np.random.default_rng(seed)
    expression = rng.uniform(-0.2, 1, (frames, 52))
    rotation = NEUTRAL_ROTATION + rng.normal(0, 0.4, (frames, 3))
    translation = NEUTRAL_TRANSLATION + rng.normal(0, 0.2, (frames, 3))
    return np.concatenate([expression, rotation, translation], axis=1).astype(np.float32)


def world_in_numpy(head: HeadModel, coeffs: np.ndarray) -> np.ndarray:
    frames = []
    for frame in coeffs.astype(np.float64):
        weights, turn, move = frame[:52].copy(), frame[52:55], frame[55:]
        if head.lips_need_jaw:
            jaw = max(weights[INDEX["jawOpen"]], 0)
            weights[INDEX["mouthClose"]] = min(weights[INDEX["mouthClose"]], jaw)
        shape = head.neutral.astype(np.float64) + np.einsum("u,uvi->vi", weights, head.units)
        matrix = Rotation.from_euler("xyz", turn).as_matrix()  # about fixed axes, x first
        on_head = shape @ matrix.T + move
        upright = np.diag([1.0, -1.0, -1.0])
        shoulders = (shape - head.pivot) @ upright + head.pivot @ matrix.T + move
        grip = head.grip[:, None].astype(np.float64)
        frames.append(grip * on_head + (1 - grip) * shoulders)
    return np.stack(frames)


@pytest.mark.parametrize("lips_need_jaw", [True, False])
def test_vertices_are_numpys(lips_need_jaw):
    head = replace(load_builtin_head(), lips_need_jaw=lips_need_jaw)
    coeffs = random_coeffs(6)
    world = head.vertices(coeffs)
    assert isinstance(world, jax.Array)
    assert world.devices() == {jax.devices()[0]}
    assert world.dtype == np.float32
    np.testing.assert_allclose(world, world_in_numpy(head, coeffs), rtol=0, atol=1e-5)


def test_vertices_of_a_mask_without_shoulders_are_numpys(model):
    head = model.head()
    coeffs = random_coeffs(3)
    expected = world_in_numpy(head, coeffs)
    np.testing.assert_allclose(head.vertices(coeffs), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("frames", [0, 1, 31, 32, 33, 70])
def test_a_clip_is_its_frames_however_it_is_cut(model, frames):
    head, coeffs = model.head(), random_coeffs(frames)
    world = head.vertices(coeffs)
    assert world.shape == (frames, len(head.neutral), 3)
    for frame in {0, frames // 2, frames - 1} & set(range(frames)):
        alone = head.vertices(coeffs[frame : frame + 1])[0]
        np.testing.assert_allclose(world[frame], alone, rtol=0, atol=1e-6)


def test_few_programs_are_compiled_for_many_lengths(model):
    head = model.head()
    programs = head_module._world._cache_size  # pyright: ignore[reportAttributeAccessIssue]
    before = programs()
    for frames in range(1, 131, 7):
        head.vertices(random_coeffs(frames))
    assert programs() - before <= 3  # 32, 64 and 128 frames


def test_jax_arrays_are_taken_as_they_are(model):
    coeffs = random_coeffs(2)
    head = model.head()
    np.testing.assert_array_equal(head.vertices(jax.numpy.asarray(coeffs)), head.vertices(coeffs))


def test_rotation_is_about_x_then_y_then_z():
    angles = np.random.default_rng(0).uniform(-3, 3, (20, 3))
    expected = Rotation.from_euler("xyz", angles).as_matrix()
    np.testing.assert_allclose(rotation_matrices(angles), expected, atol=1e-6)
    a = angles[0, 0]
    about_x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    np.testing.assert_allclose(rotation_matrices(angles[0] * [1, 0, 0]), about_x, atol=1e-6)


@pytest.mark.wrong_arguments
def test_bad_coefficients_are_named(model):
    head = model.head()
    with pytest.raises(UserError, match=r"\(time, 58\)"):
        head.vertices(np.zeros((4, 57)))
    coeffs = random_coeffs(9)
    coeffs[7, 3] = np.nan
    with pytest.raises(UserError, match="frame 7"):
        head.vertices(coeffs)
