import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.face import NEUTRAL_ROTATION, NEUTRAL_TRANSLATION
from jaxreact.rendering.heads import read_reference
from jaxreact.simulation.files import write_faces


@pytest.mark.parametrize("shape", [(1, 1, 486), (1, 486), (486,)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_parts_in_their_order(tmp_path, shape, dtype):
    np.save(tmp_path / "r.npy", np.arange(486, dtype=dtype).reshape(shape))
    reference = read_reference(tmp_path / "r.npy")
    for name, start, end in (
        ("identity", 0, 150),
        ("expression", 150, 202),
        ("texture", 202, 453),
        ("rotation", 453, 456),
        ("light", 456, 483),
        ("translation", 483, 486),
    ):
        part = getattr(reference, name)
        np.testing.assert_array_equal(part, np.arange(start, end))
        assert part.dtype == np.float32


def test_a_simulated_data_sets_reference(tmp_path):
    write_faces(tmp_path, np.zeros(58), np.ones(58))
    reference = read_reference(tmp_path / "reference_full.npy")
    assert not reference.identity.any()
    np.testing.assert_allclose(reference.rotation, NEUTRAL_ROTATION, rtol=1e-6)
    np.testing.assert_allclose(reference.translation, NEUTRAL_TRANSLATION, rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((1, 1, 485)), r"\(1, 1, 486\), this one \(1, 1, 485\)"),
        (np.zeros((2, 486)), r"this one \(2, 486\)"),
        (np.zeros((486, 1)), r"this one \(486, 1\)"),
        (np.zeros(58), r"this one \(58,\)"),
        (np.zeros((1, 1, 486), int), "486 floating-point numbers"),
        (np.full((1, 1, 486), np.inf), "not finite"),
        (np.full((1, 1, 486), 1e39), "not finite"),
        (np.array({"id": 1}), "not a readable"),
    ],
)
def test_a_file_that_is_no_reference(tmp_path, values, message):
    path = tmp_path / "mean_face.npy"
    np.save(path, values, allow_pickle=True)
    with pytest.raises(UserError, match=message) as caught:
        read_reference(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_reference(tmp_path / "none.npy")
    for content in (b"", b"text", b"PK\x03\x04damaged"):
        (tmp_path / "x.npy").write_bytes(content)
        with pytest.raises(UserError, match=r"x\.npy"):
            read_reference(tmp_path / "x.npy")
    np.savez(tmp_path / "x.npz", np.zeros(486))
    with pytest.raises(UserError, match=r"x\.npz"):
        read_reference(tmp_path / "x.npz")
    with pytest.raises(UserError, match="a folder; give the file in it"):
        read_reference(tmp_path)


@pytest.mark.parametrize(
    "header",
    [
        b"(" * 5000,
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (486",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % 10**17,
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % 10**30,
        b"{'descr': [('x', '<f4', (%d,))], 'fortran_order': False, 'shape': (1,), }" % 10**10,
        b"{'descr': 3, 'fortran_order': False, 'shape': (486,), }",
        b"\xff" * 40,
        b"  \n x\n  y",
    ],
    ids=lambda header: header[-20:].decode("ascii", "replace"),
)
def test_a_header_that_numpy_cannot_read(tmp_path, header):
    path = tmp_path / "r.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(UserError, match=r"not a readable \.npy file") as caught:
        read_reference(path)
    assert "\n" not in str(caught.value)
