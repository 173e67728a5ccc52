"""ARKit's weights as csv and JSON."""

import csv
import json
import math

import numpy as np
import pytest

from jaxreact.export.arkit_csv import write_arkit_csv
from jaxreact.export.arkit_json import write_arkit_json
from jaxreact.export.motion import motion_of
from jaxreact.face import EXPRESSION, EXPRESSIONS
from jaxreact.tracking.live_link import track_live_link
from tests.export.faces import HEADER, LEAN, NOD, TURN, poses
from tests.rendering.files import moving


@pytest.fixture
def rows(tmp_path) -> list[dict[str, str]]:
    path = tmp_path / "take.csv"
    write_arkit_csv(path, poses())
    with path.open(newline="") as file:
        assert file.readline() == HEADER + "\n"
        file.seek(0)
        return list(csv.DictReader(file))


def shown(row: dict[str, str]) -> dict[str, float]:
    """The numbers of a line that are not 0."""
    return {n: float(v) for n, v in row.items() if n != "Timecode" and abs(float(v)) > 1e-6}


def test_lines_are_those_of_a_recording(rows):
    assert len(rows) == 51
    assert [rows[k]["Timecode"] for k in (0, 1, 25, 50)] == [
        "00:00:00:00.000",
        "00:00:00:02.400",  # 40 ms are 2.4 sixtieths
        "00:00:01:00.000",
        "00:00:02:00.000",
    ]
    assert {row["BlendshapeCount"] for row in rows} == {"61"}
    assert {len(row["EyeBlinkLeft"]) for row in rows} == {len("1.0000000000")}


def test_poses_have_the_apps_signs(rows):
    count = {"BlendshapeCount": 61}
    assert shown(rows[0]) == pytest.approx(count | {"EyeBlinkLeft": 1, "HeadYaw": -TURN})
    assert shown(rows[25]) == pytest.approx(count | {"JawOpen": 0.5, "HeadPitch": NOD}, abs=1e-6)
    lean = shown(rows[50])
    assert lean["HeadRoll"] == pytest.approx(-LEAN)
    for side in ("Left", "Right"):  # to the own right, and up
        assert 0.2 < lean[f"{side}EyeYaw"] < 0.45
        assert -0.3 < lean[f"{side}EyePitch"] < -0.15


def test_what_is_written_is_read_again(tmp_path):
    coeffs = moving(40)
    write_arkit_csv(tmp_path / "take.csv", motion_of(coeffs))
    track = track_live_link(tmp_path / "take.csv")
    assert track.tracked.all()
    np.testing.assert_allclose(track.coeffs[:, :55], coeffs[:, :55], atol=1e-4)
    np.testing.assert_allclose(track.coeffs[:, 55:], np.tile([0, 0, 1.84], (40, 1)), atol=1e-6)


def test_an_angle_beyond_a_half_turn_is_written_within(tmp_path):
    coeffs = moving(1)
    coeffs[0, 52] += 2 * math.pi
    write_arkit_csv(tmp_path / "take.csv", motion_of(coeffs))
    with (tmp_path / "take.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert abs(float(row["HeadPitch"])) < 0.2


def test_json_explains_itself(tmp_path):
    path = tmp_path / "take.json"
    write_arkit_json(path, poses())
    made = json.loads(path.read_text())
    assert set(made) == {"format", "title", "fps", "names", "weights", "head"}
    assert (made["format"], made["title"], made["fps"]) == ("jaxreact-arkit-1", "poses", 25.0)
    assert made["names"] == list(EXPRESSIONS)
    np.testing.assert_allclose(made["weights"], poses().coeffs[:, EXPRESSION], atol=1e-6)
    head = made["head"]
    assert head["axes"] == "x to the person's left, y up, z out of the face; R = Rz Ry Rx"
    degrees = [math.degrees(angle) for angle in (NOD, TURN, LEAN)]
    np.testing.assert_allclose(head["euler_degrees"][0], [0, degrees[1], 0], atol=1e-4)
    np.testing.assert_allclose(head["euler_degrees"][25], [degrees[0], 0, 0], atol=1e-4)
    np.testing.assert_allclose(head["euler_degrees"][50], [0, 0, degrees[2]], atol=1e-4)
    half = [0, math.sin(TURN / 2), 0, math.cos(TURN / 2)]
    np.testing.assert_allclose(head["quaternion"][0], half, atol=1e-6)
    np.testing.assert_allclose(head["translation_metres"][50], [0.0175, 0, 0], atol=1e-6)
