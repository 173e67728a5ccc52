"""Which column of an emotion table is which channel."""

from pathlib import Path

import numpy as np
import pytest

from jaxreact.data.contents import count_frames, load_emotion
from jaxreact.data.emotion_csv import heading_of
from jaxreact.data.layout import EMOTION
from jaxreact.data.react2024.data_set import React2024
from jaxreact.errors import Remark, UserError
from jaxreact.face import EMOTIONS
from tests.data.react2024_files import RECOLA, write_tiny

ROWS = np.random.default_rng(0).random((12, 25)).round(3).astype(np.float32)
VA_FIRST = [15, 16, *range(15), *range(17, 25)]


def write(path: Path, names: list[str] | None, rows: np.ndarray = ROWS, mark: str = ",") -> Path:
    lines = [] if names is None else [mark.join(names)]
    lines += [mark.join(map(str, row)) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "1.csv"


def read(path: Path) -> np.ndarray:
    """The table, of which nothing is doubtful."""
    assert heading_of(path).doubts == ()
    table = load_emotion(path)
    assert count_frames(EMOTION, path) == len(table)
    return table


def doubted(path: Path, message: str) -> np.ndarray:
    """The table, of which this is doubtful."""
    with pytest.warns(Remark, match=message) as said:
        table = load_emotion(path)
    assert str(said[0].message).startswith(f"{path}: ")
    with pytest.warns(Remark, match=message):
        assert count_frames(EMOTION, path) == len(table)
    return table


def test_as_released(path):
    np.testing.assert_array_equal(read(write(path, list(EMOTIONS))), ROWS)
    assert heading_of(path).released
    expected = np.loadtxt(path, np.float32, delimiter=",", skiprows=1)
    np.testing.assert_array_equal(read(path), expected)


def test_released_files_are_not_decoded_first(path, monkeypatch):
    """Reading them takes a fifth longer otherwise."""
    monkeypatch.setattr("jaxreact.data.emotion_csv.read_text", None)
    np.testing.assert_array_equal(read(write(path, list(EMOTIONS))), ROWS)


def test_columns_are_found_by_their_names(path):
    names = [EMOTIONS[channel] for channel in VA_FIRST]
    np.testing.assert_array_equal(read(write(path, names, ROWS[:, VA_FIRST])), ROWS)
    loud = [f" {name.upper()} ".replace("AU1 ", "AU01 ") for name in names]
    np.testing.assert_array_equal(read(write(path, loud, ROWS[:, VA_FIRST])), ROWS)


def test_columns_without_a_name_are_row_numbers(path):
    numbered = np.concatenate([np.arange(12)[:, None], ROWS], axis=1)
    np.testing.assert_array_equal(read(write(path, ["", *EMOTIONS], numbered)), ROWS)


def test_further_columns_are_left_out_and_said(path):
    wider = np.concatenate([ROWS, ROWS[:, :2]], axis=1)
    write(path, [*EMOTIONS, "Frame", "confidence"], wider)
    table = doubted(path, "further columns are not read: Frame, confidence")
    np.testing.assert_array_equal(table, ROWS)


def test_without_a_header_the_first_line_is_a_frame(path):
    table = doubted(write(path, None), "no header: its first line is read as a frame")
    np.testing.assert_array_equal(table, ROWS)


@pytest.mark.parametrize("first", [0, 1])
def test_pandas_numbers_are_a_header(path, first):
    names = [str(first + number) for number in range(25)]
    table = doubted(write(path, names), "columns have numbers for names: read in order")
    np.testing.assert_array_equal(table, ROWS)


def test_unknown_names_are_read_in_order_and_said(path):
    names = [name.replace("Happy", "Happiness") for name in EMOTIONS]
    table = doubted(write(path, names), r"unknown names of columns: read in order \(Happiness\)")
    np.testing.assert_array_equal(table, ROWS)
    names = [f"c{number}" for number in range(25)]
    doubted(write(path, names), r"read in order \(c0, c1, c2, ...\)")


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        ([*EMOTIONS[:24], "AU1"], 25, "the column AU1 stands twice; remove one of them"),
        ([*EMOTIONS[:24], "x", "y"], 26, "no column Contempt; name them AU1 to Contempt as in"),
        (EMOTIONS[:24], 24, "no column Contempt; name them"),
        (["x", *EMOTIONS[:24]], 25, "column 2 is AU1 where AU2 belongs, and no column Contempt"),
        (["a", "b"], 2, "2 columns instead of 25, none of a known name"),
        (None, 26, "26 columns, not 25, and no header"),
        (EMOTIONS, 24, "24 columns instead of 25"),
    ],
)
def test_columns_that_cannot_be_told(path, names, columns, message):
    rows = np.resize(ROWS, (12, columns))
    write(path, None if names is None else list(names), rows)
    with pytest.raises(UserError, match=message) as caught:
        load_emotion(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_as_spreadsheets_save_it(path):
    text = write(path, list(EMOTIONS)).read_text()
    path.write_text(text.replace(",", ";").replace(".", ","), "utf-8-sig")
    np.testing.assert_array_equal(read(path), ROWS)
    path.write_text(text.replace(",", "\t"), "utf-16")
    np.testing.assert_array_equal(read(path), ROWS)
    path.write_text("\n".join(f'"{line}"'.replace(",", '","') for line in text.splitlines()))
    np.testing.assert_array_equal(read(path), ROWS)


def test_a_header_alone_has_no_frames(path):
    path.write_text(",".join(EMOTIONS))
    assert count_frames(EMOTION, path) == len(load_emotion(path)) == 0


def test_a_data_set_says_it_once_for_all_files(tmp_path):
    data = write_tiny(tmp_path)
    for name in data.names:
        write(data.path("Emotion", name, ".csv"), None, data.emotion(name))
    with pytest.warns(Remark) as said:
        dyads = React2024(tmp_path).dyads("train")
    (message,) = (str(each.message) for each in said)
    assert "no header" in message
    assert message.endswith("3 more remarks: `python -m jaxreact.data.prepare --check-only`")
    assert dyads[1].speaker.name == RECOLA[0]
    assert dyads[1].frames == 60
