"""The head's pose as BVH and for FLAME."""

import math

import numpy as np

from jaxreact.export.bvh import write_bvh
from jaxreact.export.flame import write_flame
from jaxreact.export.motion import motion_of
from jaxreact.export.pose import rotations
from tests.export.faces import LEAN, NOD, TURN, poses
from tests.rendering.files import moving

DEGREES = [math.degrees(angle) for angle in (NOD, TURN, LEAN)]


def about(axis: int, degrees: float) -> np.ndarray:
    """A right-handed rotation about an axis."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix, (one, two) = np.eye(3), [(1, 2), (2, 0), (0, 1)][axis]
    matrix[one, one] = matrix[two, two] = cos
    matrix[two, one], matrix[one, two] = sin, -sin
    return matrix


def read_bvh(path) -> tuple[list[str], float, np.ndarray]:
    """Channels, seconds a frame, and the frames."""
    hierarchy, motion = path.read_text().split("MOTION\n")
    words = hierarchy.split()
    at = words.index("CHANNELS")
    channels = words[at + 2 : at + 2 + int(words[at + 1])]
    frames, time, *rows = motion.splitlines()
    assert words[:3] == ["HIERARCHY", "ROOT", "Head"]
    assert frames == f"Frames: {len(rows)}"
    return (
        channels,
        float(time.removeprefix("Frame Time: ")),
        np.array([r.split() for r in rows], float),
    )


def test_bvh_of_known_poses(tmp_path):
    write_bvh(tmp_path / "head.bvh", poses())
    channels, seconds, rows = read_bvh(tmp_path / "head.bvh")
    assert (seconds, rows.shape) == (0.04, (51, 6))
    of = {name: rows[:, column] for column, name in enumerate(channels)}
    turns = [of[f"{axis}rotation"][[0, 25, 50]] for axis in "XYZ"]
    np.testing.assert_allclose(turns[0], [0, DEGREES[0], 0], atol=1e-4)
    np.testing.assert_allclose(turns[1], [DEGREES[1], 0, 0], atol=1e-4)
    np.testing.assert_allclose(turns[2], [0, 0, DEGREES[2]], atol=1e-4)
    np.testing.assert_allclose(of["Xposition"][[0, 50]], [0, 1.75], atol=1e-4)  # cm


def test_bvh_composes_its_channels_in_their_order(tmp_path):
    motion = motion_of(moving(3))
    write_bvh(tmp_path / "head.bvh", motion)
    channels, _, rows = read_bvh(tmp_path / "head.bvh")
    for row, expected in zip(rows, rotations(motion.coeffs).as_matrix(), strict=True):
        made = np.eye(3)
        for name, value in zip(channels, row, strict=True):
            if name.endswith("rotation"):
                made = made @ about("XYZ".index(name[0]), value)
        np.testing.assert_allclose(made, expected, atol=1e-6)


def test_flame_of_known_poses(tmp_path):
    write_flame(tmp_path / "head.npz", poses())
    with np.load(tmp_path / "head.npz", allow_pickle=False) as made:
        assert {name: made[name].shape for name in made} == {
            "global_orient": (51, 3),
            "transl": (51, 3),
            "mocap_framerate": (),
        }
        assert made["mocap_framerate"] == 25
        expected = [[0, TURN, 0], [NOD, 0, 0], [0, 0, LEAN]]
        np.testing.assert_allclose(made["global_orient"][[0, 25, 50]], expected, atol=1e-6)
        np.testing.assert_allclose(made["transl"][50], [0.0175, 0, 0], atol=1e-6)  # m
