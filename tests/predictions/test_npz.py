"""npz files that are written in pieces and mapped."""

import io
import zipfile

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.predictions.npz import ALIGNMENT, Pieces, map_npz, write_npz

ARRAYS = {
    "emotion": np.random.default_rng(0).random((5, 3, 2), np.float32),
    "wide_name_of_an_array": np.arange(7, dtype=np.float64),
    "half": np.ones((2, 2), np.float16),
    "clips": np.array(["a/1", "b/22"]),
    "made_with": np.array('{"seed": 0}'),
    "none": np.empty((0, 3), np.float32),
}


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_there_and_back_for_numpy_and_for_us(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, ARRAYS)
    with np.load(path, allow_pickle=False) as file:
        same(dict(file), ARRAYS)
    assert zipfile.ZipFile(path).testzip() is None
    found = map_npz(path)
    same(found, ARRAYS)
    for name in ("emotion", "wide_name_of_an_array", "half"):
        assert isinstance(found[name], np.memmap)
        assert found[name].ctypes.data % ALIGNMENT == 0
        assert not found[name].flags.writeable


def test_numpys_own_files(tmp_path):
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **ARRAYS)
        found = map_npz(tmp_path / "a.npz")
        same(found, ARRAYS)
        assert all(array.flags.aligned for array in found.values())


def test_pieces_make_the_same_bytes(tmp_path):
    array = ARRAYS["emotion"]
    write_npz(tmp_path / "whole.npz", {"x": array, "y": np.arange(3)})
    pieces = Pieces(array.shape, array.dtype, (array[i : i + 2] for i in (0, 2, 4)))
    write_npz(tmp_path / "pieces.npz", {"x": pieces, "y": np.arange(3)})
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "pieces.npz").read_bytes()
    with pytest.raises(ValueError, match=r"24 elements written for shape \(5, 3, 2\)"):
        write_npz(tmp_path / "x.npz", {"x": Pieces((5, 3, 2), array.dtype, [array[:4]])})


def test_views_that_take_no_memory_are_written_out(tmp_path):
    wide = np.broadcast_to(np.arange(4, dtype=np.float32), (3, 2, 4))
    write_npz(tmp_path / "a.npz", {"x": wide, "t": ARRAYS["emotion"].T})
    same(map_npz(tmp_path / "a.npz"), {"x": wide, "t": ARRAYS["emotion"].T})


def test_what_is_none(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.array([{}], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"a\.npz: .*allow_pickle=False"):
        map_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("read.me", "hello")
    with pytest.raises(UserError, match=r"holds 'read\.me'"):
        map_npz(path)


def test_a_header_that_promises_more_than_there_is(tmp_path):
    path, array, found = tmp_path / "a.npz", io.BytesIO(), []
    np.save(array, np.zeros((4, 4), np.float32))
    lie = array.getvalue().replace(b"(4, 4)", b"(9, 4)")
    for extra in range(4):  # one of them stands at an address that can be mapped
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x" * extra + "x.npy", lie)
        with pytest.raises(UserError, match=r"cut off|EOF: reading") as caught:
            map_npz(path)
        found.append(str(caught.value))
    assert sum("is cut off: its header promises shape (9, 4)" in words for words in found) == 1
