"""The guard around everything that reads files from outside."""

import zipfile
import zlib

import pytest

from jaxreact.errors import NotFiniteError, Stopped, UserError, reading, reason_of


class Odd(Exception):
    """Of a library that nobody has thought of."""


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("first line\nsecond line"), "x.npy: damaged (first line); copy it again"),
        (zlib.error("Error -3"), "x.npy: damaged (Error -3); copy it again"),
        (zipfile.BadZipFile("no zip"), "x.npy: damaged (no zip); copy it again"),
        (NotImplementedError(), "x.npy: damaged (NotImplementedError); copy it again"),
        (SyntaxError("EOF in statement"), "x.npy: damaged (EOF in statement); copy it again"),
        (KeyError("clips"), "x.npy: damaged (no 'clips'); copy it again"),
        (RecursionError("maximum"), "x.npy: damaged (nested too deeply); copy it again"),
        (Odd(), "x.npy: damaged (Odd); copy it again"),
        (
            MemoryError(),
            "x.npy: damaged (it promises more than fits the memory); copy it again",
        ),
        (FileNotFoundError(2, "No such file"), "x.npy: no such file"),
        (IsADirectoryError(21, "Is a directory"), "x.npy: a folder; give the file in it"),
        (PermissionError(13, "Permission denied"), "x.npy: may not be read; allow it (chmod)"),
    ],
)
def test_whatever_a_library_raises_is_one_line(error, message):
    with pytest.raises(UserError) as caught, reading("x.npy", "damaged"):
        raise error
    assert str(caught.value) == message
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [NotFiniteError("y: nan"), Stopped("z"), KeyboardInterrupt()])
def test_what_is_said_already_passes(error):
    with pytest.raises(type(error)) as caught, reading("x.npy", "damaged"):
        raise error
    assert caught.value is error


def test_long_words_are_cut():
    assert len(reason_of(ValueError("x" * 5000))) < 300
