import zipfile
from dataclasses import asdict

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.rendering import load_head
from jaxreact.rendering.heads import load_faceverse
from jaxreact.rendering.heads.faceverse_file import save_faceverse
from tests.torch_files.handmade import with_central_fields


def test_what_is_written_is_read_again(model, tmp_path):
    save_faceverse(model, tmp_path / "new" / "model.npz")
    found = asdict(load_faceverse(tmp_path / "new" / "model.npz"))
    for name, array in asdict(model).items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_a_head_is_loaded_with_and_without_a_person(converted, model, tmp_path):
    np.testing.assert_array_equal(load_head(converted).neutral, model.mean_shape)
    vector = np.random.default_rng(0).normal(size=(1, 1, 486)).astype(np.float32)
    np.save(tmp_path / "reference_full.npy", vector)
    head = load_head(converted, tmp_path / "reference_full.npy")
    expected = model.head(vector[0, 0, :150], vector[0, 0, 202:453])
    np.testing.assert_array_equal(head.neutral, expected.neutral)
    np.testing.assert_array_equal(head.colors, expected.colors)
    assert np.abs(head.neutral - model.mean_shape).max() > 0.01


def test_faceverses_own_file_is_refused_with_the_command(original):
    with pytest.raises(UserError) as caught:
        load_head(original)
    command = f"python convert_weights.py faceverse {original} {original.with_suffix('.npz')}"
    assert command in str(caught.value)
    assert "\n" not in str(caught.value)


def changed(name: str, change):
    return lambda arrays: {**arrays, name: change(arrays[name])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: {"coeffs": np.zeros(3)}, "mean_shape is missing"),
        (changed("mean_shape", lambda x: x[:-1]), r"identity_units is float32"),
        (changed("mean_shape", lambda x: x.reshape(-1)), r"mean_shape is float32"),
        (changed("mean_shape", lambda x: x[0, 0]), r"mean_shape is float32 \(\)"),
        (changed("identity_units", lambda x: x[1:]), "identity_units"),
        (changed("expression_units", lambda x: x.astype(float)), "expression_units is float64"),
        (changed("texture_units", lambda x: x * np.nan), "texture_units holds numbers that"),
        (changed("triangles", lambda x: x + 1), "triangles names vertices 1 to 420 of 420"),
        (changed("triangles", lambda x: x[:0]), "triangles"),
        (changed("triangles", lambda x: np.int32(0)), "triangles"),
        (changed("keypoints", lambda x: x[1:]), "keypoints"),
        (changed("keypoints", lambda x: -x), "keypoints names vertices"),
        (changed("keypoints", lambda x: x.astype(object)), "damaged"),
    ],
)
def test_an_npz_that_does_not_fit(model, tmp_path, change, message):
    path = tmp_path / "model.npz"
    np.savez(path, **change(asdict(model)))
    with pytest.raises(UserError, match=message) as caught:
        load_head(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_npz(converted, tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load_head(tmp_path / "none.npz")
    with pytest.raises(UserError, match=str(tmp_path)):
        load_head(tmp_path)
    path = tmp_path / "x.npz"
    for content in (b"", b"\x80\x02}.", b"obj file"):
        path.write_bytes(content)
        with pytest.raises(UserError, match="no head model"):
            load_head(path)
    np.save(tmp_path / "reference_full.npy", np.zeros((1, 1, 486)))
    with pytest.raises(UserError, match="no head model"):
        load_head(tmp_path / "reference_full.npy")
    whole = converted.read_bytes()
    for size in (10, 1000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match="damaged"):
            load_head(path)
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 64]) + whole[5001:])
    with pytest.raises(UserError, match="damaged"):
        load_head(path)


@pytest.mark.parametrize(
    "fields",
    [
        {"flags": 0x1},
        {"flags": 0x20},
        {"flags": 0x40},
        {"version": 99},
        {"method": 8},
        {"method": 97},
    ],
    ids=str,
)
def test_an_npz_that_zipfile_cannot_read(converted, tmp_path, fields):
    path = tmp_path / "x.npz"
    path.write_bytes(converted.read_bytes())
    with pytest.raises(UserError, match="damaged") as caught:
        load_head(with_central_fields(path, **fields))
    assert "\n" not in str(caught.value)


def test_an_array_that_does_not_begin_as_one(converted, tmp_path):
    """NumPy gives such a member of an npz as bytes, without an error."""
    with zipfile.ZipFile(converted) as whole, zipfile.ZipFile(tmp_path / "a.npz", "w") as damaged:
        for name in whole.namelist():
            content = whole.read(name)
            damaged.writestr(name, content[1:] if name == "mean_shape.npy" else content)
    with pytest.raises(UserError, match=r"a\.npz: mean_shape is damaged; convert it again"):
        load_faceverse(tmp_path / "a.npz")
