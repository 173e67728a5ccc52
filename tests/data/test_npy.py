"""Mapping npy files."""

import ast
import threading

import numpy as np
import pytest

from jaxreact.data.npy import map_npy


@pytest.mark.parametrize("shape", [(), (3,), (2, 5), (2, 1, 1, 4), (0, 58)])
@pytest.mark.parametrize("kind", ["<f4", ">f8", "i2", "u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_writes(tmp_path, shape, kind, order):
    made = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(kind)
    np.save(tmp_path / "x.npy", np.asarray(made, order=order))
    found = map_npy(tmp_path / "x.npy")
    assert (found.dtype, found.shape) == (made.dtype, made.shape)
    np.testing.assert_array_equal(found, made)


def test_other_writers_headers_are_read_too(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(4, dtype=np.float32))
    path.write_bytes(path.read_bytes().replace(b"{'descr': '<f4', ", b"{ 'descr':'<f4', "))
    np.testing.assert_array_equal(map_npy(path), np.arange(4))


@pytest.mark.parametrize("cut", [4, 20, 130])
def test_a_cut_file(tmp_path, cut):
    path = tmp_path / "x.npy"
    np.save(path, np.arange(8, dtype=np.float32))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises((ValueError, EOFError)):
        map_npy(path)


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        map_npy(tmp_path / "x.npy")


def test_no_thread_parses_python(tmp_path, monkeypatch):
    """While the main thread may be compiling something."""
    np.save(tmp_path / "x.npy", np.zeros((3, 58), np.float32))
    monkeypatch.setattr(ast, "literal_eval", None)
    monkeypatch.setattr(ast, "parse", None)
    found = []
    thread = threading.Thread(target=lambda: found.append(map_npy(tmp_path / "x.npy")))
    thread.start()
    thread.join()
    assert found[0].shape == (3, 58)
