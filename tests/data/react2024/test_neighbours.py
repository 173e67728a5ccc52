import numpy as np
import pytest

from jaxreact.data.react2024.neighbours import build_neighbours, neighbours
from jaxreact.errors import UserError
from tests.data.react2024_files import NOXI, RECOLA, write_tiny


@pytest.fixture
def data(tmp_path):
    return write_tiny(tmp_path, "val")


def write_sources(data, rows):
    """The whole data set's matrix (entry = 100 * row + column, to be traced) and its index."""
    lines = ["site,chat_index,clip_index", *rows]
    (data.root / "data_indices.csv").write_text("\n".join(lines) + "\n")
    side = 2 * len(rows)
    matrix = 100.0 * np.arange(side)[:, None] + np.arange(side)
    np.save(data.root / "Approprirate_facial_reaction.npy", matrix)


def test_reads_the_matrix_of_the_split(data):
    matrix = np.eye(4)
    np.save(data.root / "neighbour_emotion_val.npy", matrix)
    np.testing.assert_array_equal(neighbours(data.root, "val", 4), matrix)


def test_wrong_size_names_both(data):
    np.save(data.root / "neighbour_emotion_val.npy", np.eye(6))
    with pytest.raises(UserError, match=r"\(6, 6\).*\(4, 4\)"):
        neighbours(data.root, "val", 4)


def test_missing_matrix_without_sources(data):
    with pytest.raises(UserError, match=r"Approprirate_facial_reaction\.npy"):
        neighbours(data.root, "val", 4)


def test_derived_from_the_release_and_said_so(data, capsys):
    rows = ["Recola,group-2,1", "NoXI,elsewhere,1", "NoXI,010_2016-03-25_Paris,1"]
    write_sources(data, rows)
    matrix = neighbours(data.root, "val", 4)
    assert "derived from" in capsys.readouterr().err
    picked = [2, 0, 2 + 3, 0 + 3]  # the list's order, then the mirrored rows
    expected = [[100 * row + column for column in picked] for row in picked]
    np.testing.assert_array_equal(matrix, expected)


@pytest.mark.parametrize("row", ["NoXI,010_2016-03-25_Paris", "NoXI,a,b,1"])
def test_a_row_of_the_index_with_other_fields(data, row):
    write_sources(data, ["NoXI,010_2016-03-25_Paris,1", row])
    with pytest.raises(UserError, match=r"data_indices\.csv: row 3 is not site,chat_index"):
        build_neighbours(data.root, "val")


def test_five_part_names(data):
    write_sources(data, ["UDIVA,002003_animal,4"])
    data.write_list([("UDIVA/animal/002003/FC1/4", "UDIVA/animal/002003/FC2/4")])
    assert build_neighbours(data.root, "val").shape == (2, 2)


def test_pair_without_an_index_fails(data):
    write_sources(data, ["NoXI,010_2016-03-25_Paris,1"])
    with pytest.raises(UserError, match=f"1 clips of val.csv: {RECOLA[0]}"):
        build_neighbours(data.root, "val")
    data.write_list([NOXI])
    np.save(data.root / "Approprirate_facial_reaction.npy", np.eye(8))
    with pytest.raises(UserError, match=r"\(8, 8\).*\(2, 2\)"):
        build_neighbours(data.root, "val")
