"""Lists and tables in whatever encoding and with whatever separators programs save them."""

import numpy as np
import pytest

from jaxreact.data.react2024.files import read_pairs
from jaxreact.data.react2024.neighbours import build_neighbours
from jaxreact.data.text import read_rows, read_text, separator_of
from jaxreact.errors import Remark, UserError
from tests.data.react2024_files import NOXI, RECOLA, write_tiny

PAIRS = f",speaker_path,listener_path\n0,{NOXI[0]},{NOXI[1]}\n1,{RECOLA[0]},{RECOLA[1]}\n"
SAVED = {
    "UTF-8 with a mark": (PAIRS, "utf-8-sig"),
    "Excel's Unicode text": (PAIRS.replace(",", "\t"), "utf-16"),
    "UTF-16, the other order": ("\ufeff" + PAIRS, "utf-16-be"),
    "UTF-32": (PAIRS, "utf-32"),
    "semicolons": (PAIRS.replace(",", ";"), "utf-8"),
    "Windows' ends of lines": (PAIRS.replace("\n", "\r\n"), "utf-8"),
    "an old Mac's": (PAIRS.replace("\n", "\r"), "utf-8"),
    "quotes": (PAIRS.replace(NOXI[0], f'"{NOXI[0]}"'), "utf-8"),
    "empty lines and cells": (PAIRS.replace("\n", ",,\n,,,,\n"), "utf-8"),
}


@pytest.mark.parametrize("case", SAVED)
def test_a_list_is_read_however_it_was_saved(tmp_path, case):
    text, encoding = SAVED[case]
    (tmp_path / "train").mkdir()
    (tmp_path / "train.csv").write_bytes(text.encode(encoding))
    assert read_pairs(tmp_path, "train") == [NOXI, RECOLA]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            PAIRS.replace("Paris", "Orléans").encode("latin-1"),
            "line 2 is not UTF-8 but perhaps Lat",
        ),
        (PAIRS.encode("utf-16-le"), "no text, or UTF-16 without its mark"),
        (PAIRS.encode("utf-16")[:-1], "cut off or damaged utf-16 text"),
        (
            PAIRS.replace("\n0,", '\n0,"').encode(),
            r"not a table in text \(unexpected end",
        ),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path, content, message):
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read_pairs(tmp_path, "train")
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_names_outside_ascii(tmp_path):
    (tmp_path / "x.csv").write_bytes("a,Orléans\n".encode("utf-16"))
    assert read_rows(tmp_path / "x.csv") == [["a", "Orléans"]]
    assert read_text(tmp_path / "x.csv") == "a,Orléans\n"


def test_commas_beside_semicolons_are_decimal_ones():
    assert separator_of("0,1;0,2") == ";"
    assert separator_of("\tspeaker;1,5") == "\t"
    assert separator_of("a,b\t") == ","
    assert separator_of("alone") == ","


def test_a_list_without_a_header_says_so(tmp_path):
    data = write_tiny(tmp_path)
    (tmp_path / "train.csv").write_text(PAIRS.partition("\n")[2])
    with pytest.warns(Remark, match=r"train\.csv: its first row names two clips and is not read"):
        assert read_pairs(data.root, "train") == [RECOLA]


def test_an_index_in_another_encoding_and_without_a_header(tmp_path):
    write_tiny(tmp_path, "val")
    np.save(tmp_path / "Approprirate_facial_reaction.npy", np.eye(4))
    rows = "site;chat_index;clip_index\nNoXI;010_2016-03-25_Paris;1\nRecola;group-2;1\n"
    index = tmp_path / "data_indices.csv"
    index.write_text(rows, "utf-16")
    assert build_neighbours(tmp_path, "val").shape == (4, 4)
    index.write_text("X,y,3\n" + rows.partition("\n")[2].replace(";", ","))
    with pytest.warns(Remark, match="its first row, 'X,y,3', is not read"):
        build_neighbours(tmp_path, "val")
