"""The stand-in for OpenGL loads and its functions return 0, on this machine's own loader."""

import ctypes
import platform
import struct
import sys

import pytest

from jaxreact.tracking.no_opengl import drawing_modules_optional, empty_library, provide_opengl

on_linux = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"),
    reason="the stand-in is for Linux on two kinds of machine",
)


@on_linux
def test_an_empty_library_loads_and_does_nothing(tmp_path):
    path = tmp_path / "libnothing.so.1"
    path.write_bytes(empty_library(path.name, [b"glFirst", b"eglLast"], platform.machine()))
    library = ctypes.CDLL(str(path))
    assert library.glFirst(1, 2) == 0
    assert library.eglLast() == 0
    assert not hasattr(library, "glMissing")


@on_linux
def test_the_loader_knows_it_by_its_name(tmp_path):
    name = "libjaxreact-nothing.so.7"
    path = tmp_path / "other-name.so"
    path.write_bytes(empty_library(name, [b"glFirst"], platform.machine()))
    kept = ctypes.CDLL(str(path))
    path.unlink()
    assert ctypes.CDLL(name).glFirst() == kept.glFirst() == 0


def test_both_machines_have_their_code():
    for machine, number in (("x86_64", 62), ("aarch64", 183)):
        image = empty_library("lib.so", [b"glFirst"], machine)
        assert struct.unpack_from("<H", image, 18) == (number,)


def test_providing_twice_is_harmless():
    provide_opengl()
    provide_opengl()


def test_empty_drawing_modules_go_away_again(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)  # makes `import cv2` fail
    for name in ("matplotlib", "matplotlib.pyplot"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with drawing_modules_optional():
        import matplotlib.pyplot as plt

        assert not hasattr(plt, "plot")
    assert "matplotlib.pyplot" not in sys.modules
