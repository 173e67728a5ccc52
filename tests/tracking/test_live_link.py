"""Recordings of Live Link Face, made here by hand."""

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import NotFiniteError, Remark, UserError
from jaxreact.face import INDEX, PITCH, ROLL, YAW
from jaxreact.media.live_link_format import seconds_of, through_midnight, timecode
from jaxreact.tracking.live_link import track_live_link
from tests.export.faces import HEADER

NAMES: list[str] = list(HEADER.split(","))


def line(
    tick: float, names: Sequence[str] = NAMES, *, start: float = 0, **values: float
) -> list[str]:
    """A line at a time in sixtieths of a second."""
    shown = {name: f"{values.get(name, 0):.10f}" for name in NAMES}
    shown |= {"Timecode": timecode(start + tick / 60), "BlendshapeCount": "61"}
    return [shown[name] for name in names]


def take(count: int, jaw: Callable[[float], float] = lambda t: t, **more: float) -> list[list[str]]:
    """So many lines, 60 a second, in which jawOpen is a function of time; the head is turned."""
    more = {"HeadYaw": 0.1} | more
    return [NAMES, *(line(tick, NAMES, JawOpen=jaw(tick / 60), **more) for tick in range(count))]


def saved(folder: Path, rows: list[list[str]], ending: str = "\n") -> Path:
    path = folder / "take.csv"
    path.write_bytes("".join(",".join(row) + ending for row in rows).encode())
    return path


def jaw(path: Path, **options) -> np.ndarray:
    return track_live_link(path, **options).coeffs[:, INDEX["jawOpen"]]


def test_sixty_lines_a_second_become_25_frames(tmp_path):
    track = track_live_link(saved(tmp_path, take(120, lambda t: t / 2)))
    assert track.source_fps == pytest.approx(60, abs=0.01)
    assert (track.source_frames, track.lost_frames) == (120, 0)
    assert track.coeffs.dtype == np.float32
    assert track.tracked.all()
    np.testing.assert_allclose(
        track.coeffs[:, INDEX["jawOpen"]], np.minimum(np.arange(50) / 50, 119 / 120), atol=1e-5
    )


def test_angles_have_the_signs_of_the_app(tmp_path):
    """To the own left, down, towards the own right shoulder: more of each angle of ours."""
    path = saved(tmp_path, take(60, HeadYaw=-0.4, HeadPitch=0.3, HeadRoll=-0.2))
    coeffs = track_live_link(path).coeffs
    np.testing.assert_allclose(coeffs[:, PITCH], math.pi + 0.3, atol=1e-6)
    np.testing.assert_allclose(coeffs[:, YAW], 0.4, atol=1e-6)
    np.testing.assert_allclose(coeffs[:, ROLL], 0.2, atol=1e-6)
    np.testing.assert_allclose(coeffs[:, 55:], np.tile([0, 0, 1.84], (25, 1)), atol=1e-6)


def test_units_are_found_by_name(tmp_path):
    """As an older app writes them, the right side first, with another capital."""
    order = sorted(NAMES[2:], key=lambda name: ("Right" not in name, name))
    names = ["Timecode", "BlendshapeCount", *order]
    values = {"HeadPitch": 0.1, "EyeBlinkLeft": 0.7, "MouthRight": 0.2, "TongueOut": 0.4}
    rows = [line(tick, names, **values) for tick in range(60)]
    header = ["Timecode", "BlendShapeCount", *order]
    coeffs = track_live_link(saved(tmp_path, [header, *rows], "\r\n")).coeffs
    shown = {INDEX["eyeBlinkLeft"]: 0.7, INDEX["mouthRight"]: 0.2, INDEX["tongueOut"]: 0.4}
    expected = [shown.get(unit, 0) for unit in range(52)]
    np.testing.assert_allclose(coeffs[:, :52], np.tile(expected, (25, 1)), atol=1e-6)


def test_dropped_lines_are_bridged_by_their_times(tmp_path):
    """One in three is there; at 0.5 s it lacks 0.2 s of them."""
    rows = [row for tick, row in enumerate(take(180)[1:]) if tick % 3 == 0 and not 30 < tick < 42]
    track = track_live_link(saved(tmp_path, [NAMES, *rows]))
    expected = np.minimum(np.arange(75) / 25, 177 / 60)
    np.testing.assert_allclose(track.coeffs[:, INDEX["jawOpen"]], expected, atol=1e-5)
    assert track.source_fps == pytest.approx(19, abs=0.5)


def without_face(rows: list[list[str]], first: int, last: int, fields: int = 0) -> list[list[str]]:
    """The app writes a time and no numbers where it sees no face; a spreadsheet adds empty
    fields."""
    lost = ["0", *[""] * fields]
    return [[row[0], *lost] if first <= n - 1 <= last else row for n, row in enumerate(rows)]


@pytest.mark.parametrize("fields", [0, 61])
def test_lines_without_a_face_are_bridged(tmp_path, fields):
    track = track_live_link(saved(tmp_path, without_face(take(120), 60, 65, fields)))
    assert track.lost_frames == 6
    np.testing.assert_allclose(
        track.coeffs[:50, INDEX["jawOpen"]],
        np.minimum(np.arange(50) / 25, 119 / 60),
        atol=1e-5,
    )
    assert (~track.tracked).nonzero()[0].tolist() == [25, 26, 27]  # of 59/60 s to 66/60 s


def test_long_holes_are_refused_or_held(tmp_path):
    path = saved(tmp_path, without_face(take(180), 60, 119))
    with pytest.raises(UserError, match=r"no face for longer than 0\.5 s at 1\.0-2\.0 s"):
        track_live_link(path)
    with pytest.warns(Remark, match=r"no face at 1\.0-2\.0 s: the last one is held"):
        held = jaw(path, on_gap="hold")
    np.testing.assert_allclose(held[25:50], held[24], atol=1e-6)
    assert held[51] == pytest.approx(51 / 25, abs=1e-5)
    with pytest.warns(Remark, match="found in only 120 of 180 pictures"):
        bridged = jaw(path, max_gap=1.5)
    assert bridged[37] == pytest.approx(37 / 25, abs=1e-5)


def test_a_take_through_midnight(tmp_path):
    rows = [line(tick, start=24 * 3600 - 0.5, JawOpen=tick / 60, HeadYaw=1) for tick in range(60)]
    path = saved(tmp_path, [NAMES, *rows])
    assert "23:59:59:59.000" in path.read_text()
    assert "00:00:00:00.000" in path.read_text()
    np.testing.assert_allclose(jaw(path), np.arange(25) / 25, atol=1e-5)


def test_only_the_beginning_is_used(tmp_path):
    track = track_live_link(saved(tmp_path, take(180)), max_seconds=1.0)
    assert (len(track.coeffs), track.stopped) == (25, True)
    assert track.source_seconds == pytest.approx(3, abs=1e-3)
    assert not track_live_link(saved(tmp_path, take(60)), max_seconds=1.0).stopped


def test_a_head_that_was_not_recorded_is_said(tmp_path):
    with pytest.warns(Remark, match=r"take\.csv: the head's angles are all 0"):
        track_live_link(saved(tmp_path, take(60, HeadYaw=0)))


def test_lines_that_repeat_a_time_are_left_out(tmp_path):
    rows = take(60)
    plain = track_live_link(saved(tmp_path, rows))
    twice = [*rows[:11], rows[10], rows[10], *rows[11:], rows[60]]
    with pytest.warns(Remark, match="3 lines repeat the time of the one before and are left out"):
        track = track_live_link(saved(tmp_path, twice))
    np.testing.assert_array_equal(track.coeffs, plain.coeffs)
    broken = [list(row) for row in twice]
    broken[20][NAMES.index("JawOpen")] = "wide"
    path = saved(tmp_path, broken)
    with pytest.raises(UserError, match="line 21: JawOpen is 'wide'"):
        track_live_link(path)
    lines = path.read_text().split("\n")
    path.write_text("\n".join(["", *lines[:4], "", *lines[4:]]))
    with pytest.raises(UserError, match="line 23: JawOpen is 'wide'"):
        track_live_link(path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"MouthPucker": 35}, "weights up to 35, ARKit's are 0 to 1: are they percent?"),
        ({"HeadYaw": 20}, "the head is turned by up to 20 radians: are they degrees?"),
    ],
)
def test_numbers_that_look_otherwise_are_said(tmp_path, values, words):
    with pytest.warns(Remark, match=re.escape(words)):
        track_live_link(saved(tmp_path, take(60, **values)))


def refused(rows: list[list[str]]) -> dict[str, list[list[str]]]:
    """What cannot be read, by what is said of it."""

    def with_field(row: int, name: str, text: str) -> list[list[str]]:
        made = [list(each) for each in rows]
        made[row][NAMES.index(name)] = text
        return made

    kept = [n for n, name in enumerate(NAMES) if name not in ("HeadRoll", "JawOpen")]
    return {
        "the file is empty": [],
        "holds no line but that of the names": rows[:1],
        "its first column is 00:00:00:00.000, not Timecode": rows[1:],
        "has no column JawOpen, HeadRoll; give": [[row[n] for n in kept] for row in rows],
        r"has no column EyeBlinkLeft, EyeLookDownLeft, EyeLookInLeft and 52 more": [
            row[:2] for row in rows
        ],
        "line 5: its time .* does not follow": [*rows[:4], rows[2], *rows[4:]],
        "line 61: its time .* does not follow .*59": [*rows[:1], *rows[2:], rows[1]],
        "line 5: JawOpen is not finite": with_field(4, "JawOpen", "nan"),
        "line 6: HeadYaw is not finite": with_field(5, "HeadYaw", "inf"),
        "line 8: HeadYaw is not finite": with_field(7, "HeadYaw", "1e300"),
        "line 7: MouthLeft is 'wide', no number": with_field(6, "MouthLeft", "wide"),
        "line 61: MouthLowerDownRight is '', no number": [*rows[:-1], rows[-1][:40]],
        "line 3: 'noon' is no timecode": with_field(2, "Timecode", "noon"),
        "line 3: '25:00:00:00.000' is no time": with_field(2, "Timecode", "25:00:00:00.000"),
        "shows no face in 60 lines": [NAMES, *([row[0], "0"] for row in rows[1:])],
        r"3\.0 lines a second are too few": [NAMES, *rows[1::20]],
        "holds a single line of numbers": rows[:2],
    }


@pytest.mark.parametrize("words", list(refused(take(60))))
def test_what_cannot_be_read_is_one_line_that_names_the_file(tmp_path, words):
    path = saved(tmp_path, refused(take(60))[words])
    with pytest.raises(UserError, match=rf"take\.csv: .*{words}") as error:
        track_live_link(path)
    assert "\n" not in str(error.value)
    assert isinstance(error.value, NotFiniteError) == ("finite" in words)


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        track_live_link(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00:00.000"),
        (0.04, "00:00:00:02.400"),
        (59.99999999, "00:01:00:00.000"),
        (3 * 3600 + 25 * 60 + 45 + 59.5 / 60, "03:25:45:59.500"),
    ],
)
def test_timecodes_count_sixtieths(seconds, text):
    assert timecode(seconds) == text
    assert seconds_of(text) == pytest.approx(seconds, abs=1e-5)


def test_only_a_jump_back_by_most_of_a_day_is_midnight():
    day = 24 * 3600
    np.testing.assert_array_equal(through_midnight(np.array([day - 1.0, 0, 1])) - day, [-1, 0, 1])
    back = np.array([50.0, 10])
    np.testing.assert_array_equal(through_midnight(back), back)
