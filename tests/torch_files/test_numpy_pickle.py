"""Pickled arrays as data: the same arrays as NumPy's, and nothing but an error otherwise."""

import pickle
import random
import struct

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.torch_files import numpy_pickle
from tests.rendering.faceverse_file import save


def read_dictionary(path):
    return numpy_pickle.read_dictionary(path, "model.npy")


ARRAYS = {
    "matrix": np.arange(12, dtype="f4").reshape(3, 4),
    "transposed": np.arange(12, dtype="f8").reshape(3, 4).T,
    "big": np.arange(5, dtype=">i8"),
    "bytes": np.arange(5, dtype="u1"),
    "half": np.arange(5, dtype="f2"),
    "bool": np.array([True, False]),
    "nothing": np.zeros((0, 7), "f4"),
    "number": np.array(3.5),
    "text": np.array(["jawOpen", "ü"]),
}


@pytest.mark.parametrize("protocol", [None, 0, 1, 2, 3, 4, 5])
def test_arrays_of_every_kind(tmp_path, protocol):
    rest = {"a": 1, "b": [1.5, "x", None, True], "c": np.float32(2.5), "d": np.str_("y")}
    objects = np.array(["x", 2, None], object)
    path = save(tmp_path / "x.npy", {**ARRAYS, **rest, "objects": objects, 7: "seven"}, protocol)
    found = read_dictionary(path)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert {name: found[name] for name in rest} == rest
    assert found["objects"] == ["x", 2, None]
    assert found["7"] == "seven"


def test_an_array_shared_by_two_keys(tmp_path):
    array = np.arange(3)
    found = read_dictionary(save(tmp_path / "x.npy", {"a": array, "b": array}))
    np.testing.assert_array_equal(found["a"], found["b"])


_DICTIONARY = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
HEADER = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(_DICTIONARY)) + _DICTIONARY
"""An .npy file's, up to the pickle."""


def array_pickle(shape: bytes, dtype: bytes, data: bytes) -> bytes:
    """`{"w": array}` in an array of objects, written by hand."""
    rebuild = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    kind = b"cnumpy\ndtype\n(S'%s'\nI0\nI1\ntR"
    inner = rebuild + b"(I1\n" + shape + kind % dtype + b"I00\n" + data + b"tb"
    whole = b"(I1\n(t" + kind % b"O8" + b"I00\n(lp9\n(dS'w'\n" + inner + b"satb"
    return HEADER + rebuild + whole + b"."


def raw(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


def test_the_handmade_pickle_is_one(tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(array_pickle(b"(I2\nI1\nt", b"f4", raw(bytes(8))))
    assert np.load(path, allow_pickle=True).item()["w"].shape == (2, 1)
    assert read_dictionary(path)["w"].shape == (2, 1)


@pytest.mark.parametrize(
    ("shape", "dtype", "data", "reason"),
    [
        (b"(I2\nI2\nt", b"f4", raw(bytes(8)), "not as many as its shape says"),
        (b"(I1\nt", b"f4", raw(bytes(8)), "not as many as its shape says"),
        (b"(I99999999999999999999\nt", b"f4", raw(bytes(8)), "not as many"),
        (b"(I-2\nt", b"f4", raw(b""), "negative size"),
        (b"(F2.0\nt", b"f4", raw(bytes(8)), "negative size"),
        (b"(I0\nI9999999999999999999\nt", b"f4", raw(b""), "damaged"),
        (b"(lp1\n", b"f4", raw(b""), "without dtype or shape"),
        (b"(" + 9 * b"I1\n" + b"t", b"f4", raw(bytes(4)), "without dtype or shape"),
        (b"(I2\nt", b"O8", raw(bytes(16)), "without its objects"),
        (b"(I2\nt", b"O8", b"(lp1\nI1\na", "without its objects"),
        (b"(I2\nt", b"f4", b"(lp1\nI1\naI2\na", "not as many as its shape says"),
        (b"(I2\nt", b"V8", raw(bytes(16)), "numpy dtype 'V8'"),
        (b"(I2\nt", b"M8[s]", raw(bytes(16)), "numpy dtype"),
        (b"(I1\nt", b"f4,O", raw(bytes(16)), "numpy dtype"),
        (b"(I1\nt", b"f4", b"\x8e" + struct.pack("<Q", 2**50) + bytes(4), "damaged"),
        (b"(I1\nt", b"f4", b"B" + struct.pack("<I", 2**32 - 1) + bytes(4), "damaged"),
    ],
)
def test_an_array_that_lies(tmp_path, shape, dtype, data, reason):
    path = tmp_path / "x.npy"
    path.write_bytes(array_pickle(shape, dtype, data))
    with pytest.raises(UserError, match=reason) as caught:
        read_dictionary(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "numpy.f2py.diagnose system",
        "numpy load",
        "numpy.core.multiarray fromfile",
        "numpy._core.multiarray _reconstruct.__globals__",
        "numpy.ndarray tofile",
        "builtins getattr",
        "torch.hub load",
    ],
)
def test_other_globals_even_numpys_are_refused(tmp_path, name):
    path = tmp_path / "x.npy"
    path.write_bytes(HEADER + b"c" + name.replace(" ", "\n").encode() + b"\n(S'x'\ntR.")
    with pytest.raises(UserError, match="refused: it names " + name.replace(" ", r"\.")):
        read_dictionary(path)


@pytest.mark.parametrize(
    "program",
    [
        b"cnumpy\nndarray\n(I3\ntR.",  # the class is only named
        b"cnumpy\ndtype\n(S'f8'\ntR(I3\nS'!'\ntb.",
        b"cnumpy\ndtype\n(S'f8'\ntRI3\nb.",
        b"cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O8'\ntRS'x'\ntR.",
        b"cnumpy.core.multiarray\nscalar\n(I1\nS'x'\ntR.",
        b"cnumpy.core.numeric\n_frombuffer\n(I1\nI2\nI3\nI4\ntR.",
        b"cnumpy.core.numeric\n_frombuffer\n(I1\ntR.",
        b"\x80\x05\x97.",  # a buffer from outside
        b"Pid\n.",
        b"}" + 100_000 * b"]" + 99_999 * b"a" + b".",
        b".",
        b"",
    ],
)
@pytest.mark.wrong_arguments
def test_programs_that_are_no_arrays(tmp_path, program):
    path = tmp_path / "x.npy"
    path.write_bytes(HEADER + program)
    with pytest.raises(UserError) as caught:
        read_dictionary(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_cut_file_is_noticed(tmp_path):
    path = save(tmp_path / "x.npy", ARRAYS)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError) as caught:
            read_dictionary(path)
        assert "\n" not in str(caught.value)


def attempt(path):
    """The dictionary, or the error of one that is noticed to be damaged."""
    try:
        return read_dictionary(path)
    except UserError as error:
        return str(error)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.wrong_arguments
def test_a_changed_byte_is_noticed_or_harmless(tmp_path, protocol):
    path = save(tmp_path / "x.npy", ARRAYS, protocol)
    whole = path.read_bytes()
    chooser = random.Random(protocol)
    for _ in range(400):
        place = chooser.randrange(len(whole))
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << chooser.randrange(8))]) + whole[place + 1 :]
        )
        outcome = attempt(path)
        assert isinstance(outcome, dict) or "\n" not in outcome


def test_an_ordinary_pickle_is_no_npy_file(tmp_path):
    (tmp_path / "x.npy").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UserError, match=r"not an \.npy file; give model\.npy"):
        read_dictionary(tmp_path / "x.npy")
