"""What a pickle may make of its data: no more than it holds, and a little to spare."""

import _codecs
import io
import pickle

import numpy as np
import pytest

from jaxreact.torch_files.numpy_pickle import GLOBALS, PickledArray
from jaxreact.torch_files.plain_pickle import Malformed, load
from tests.torch_files.test_untrusted_files import Gadget

TEXT = "é" * 600_000


def read(content: object, protocol: int = 2) -> object:
    return load(io.BytesIO(pickle.dumps(content, protocol)), GLOBALS)


def copies(count: int) -> list[Gadget]:
    """So many calls that encode one text, which the pickle holds once."""
    return [Gadget(_codecs.encode, TEXT, "latin1") for _ in range(count)]


def test_bytes_of_the_older_protocols_are_read():
    assert read([TEXT.encode("latin-1")] * 2) == [TEXT.encode("latin-1")] * 2
    found = read(np.arange(300_000))
    assert isinstance(found, PickledArray)
    np.testing.assert_array_equal(found.content, np.arange(300_000))


def test_one_text_is_not_copied_without_end():
    read(copies(2))
    with pytest.raises(Malformed, match="it makes more of its data than it holds"):
        read(copies(5))


def test_nor_are_an_arrays_bytes_that_are_text():
    """As Python 2 has left them: each array would have a copy of its own."""
    one = np.frombuffer(TEXT.encode("latin-1"), np.uint8)
    state = (1, one.shape, one.dtype, False, TEXT)

    class Array:
        def __reduce__(self):
            rebuilt, arguments, _ = one.__reduce__()
            return rebuilt, arguments, state

    read([Array() for _ in range(2)])
    with pytest.raises(Malformed, match="it makes more of its data than it holds"):
        read([Array() for _ in range(5)])
