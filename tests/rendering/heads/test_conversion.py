"""FaceVerse's pickled dictionary -> an npz; a wrong one is named, a hostile one does nothing."""

import os
import pickle
import sys

import numpy as np
import pytest

from jaxreact.commands import run_command
from jaxreact.errors import NotFiniteError, Remark, UserError
from jaxreact.face import EXPRESSIONS
from jaxreact.rendering.heads import load_faceverse
from jaxreact.rendering.heads.conversion import convert_faceverse
from tests.rendering import faceverse_file


@pytest.fixture(scope="module")
def content():
    return faceverse_file.faceverse()


def assert_converted(path, content):
    model = load_faceverse(path)
    assert {array.dtype.kind for array in np.load(path).values()} == {"f", "i"}
    np.testing.assert_allclose(model.mean_shape.reshape(-1), content["meanshape"].reshape(-1))
    np.testing.assert_allclose(model.mean_texture.reshape(-1), content["meantex"].reshape(-1))
    for name, units in (
        ("idBase", model.identity_units),
        ("exBase", model.expression_units),
        ("texBase", model.texture_units),
    ):
        interleaved = units.reshape(len(units), -1).T
        np.testing.assert_allclose(interleaved, content[name], rtol=1e-6)
    np.testing.assert_array_equal(model.triangles, content["tri"])
    np.testing.assert_array_equal(model.keypoints, content["keypoints"].reshape(-1))


@pytest.mark.parametrize("protocol", [None, 0, 2, 3, 4, 5])
def test_every_way_numpy_has_written_it(tmp_path, content, protocol):
    source = faceverse_file.save(tmp_path / "model.npy", content, protocol)
    convert_faceverse(source, tmp_path / "model.npz")
    assert_converted(tmp_path / "model.npz", content)


def test_numpys_modules_before_version_2(tmp_path, content):
    source = faceverse_file.save(tmp_path / "model.npy", content, 3)
    data = source.read_bytes()
    assert b"numpy._core.multiarray" in data
    source.write_bytes(data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    convert_faceverse(source, tmp_path / "model.npz")
    assert_converted(tmp_path / "model.npz", content)


def flat(x):
    return x.reshape(1, -1)


OPTIONAL = ("point_buf", "skinmask")
GOOD = {
    "float64": lambda c: {k: x.astype(float) if k.endswith("Base") else x for k, x in c.items()},
    "float16": lambda c: {**c, "meantex": c["meantex"].astype("f2")},
    "big-endian": lambda c: {**c, "meanshape": c["meanshape"].astype(">f8")},
    "Fortran order": lambda c: {**c, "idBase": np.asfortranarray(c["idBase"])},
    "flat shape": lambda c: {**c, "meanshape": flat(c["meanshape"])},
    "one-dimensional": lambda c: {**c, "meanshape": c["meanshape"].reshape(-1)},
    "texture by vertex": lambda c: {**c, "meantex": c["meantex"].reshape(-1, 3)},
    "8-bit texture": lambda c: {**c, "meantex": c["meantex"].astype("u1")},
    "float indices": lambda c: {**c, "tri": c["tri"].astype(float), "keypoints": c["keypoints"].T},
    "int64": lambda c: {**c, "tri": c["tri"].astype("i8")},
    "other capitals": lambda c: {**c, "exp_name_list": [n.upper() for n in EXPRESSIONS]},
    "names as an array": lambda c: {**c, "exp_name_list": np.array(EXPRESSIONS)},
    "names as objects": lambda c: {**c, "exp_name_list": np.array(EXPRESSIONS, object)},
    "names as a tuple": lambda c: {**c, "exp_name_list": EXPRESSIONS},
    "names of NumPy": lambda c: {**c, "exp_name_list": list(np.array(EXPRESSIONS))},
    "without the rest": lambda c: {k: x for k, x in c.items() if k not in OPTIONAL},
}


@pytest.mark.parametrize("case", GOOD)
def test_other_layouts_of_the_same(tmp_path, content, case, capsys):
    content = GOOD[case](content)
    source = faceverse_file.save(tmp_path / "model.npy", content)
    convert_faceverse(source, tmp_path / "model.npz")
    assert_converted(tmp_path / "model.npz", content)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("float64", ", those of float64 rounded: 3 of float64"),
        ("big-endian", ", those of float64 rounded: 1 of float64"),
        ("float16", ": 1 of float16"),
    ],
)
def test_other_precisions_are_said(tmp_path, content, case, said):
    source = faceverse_file.save(tmp_path / "model.npy", GOOD[case](content))
    with pytest.warns(Remark) as caught:
        convert_faceverse(source, tmp_path / "model.npz")
    assert [str(warning.message) for warning in caught] == [
        f"{source}: tensors converted to float32{said}"
    ]


def test_numbers_beyond_float32_are_counted(tmp_path, content):
    texture = content["texBase"].astype(float)
    texture[:2, 3] = 1e39
    source = faceverse_file.save(tmp_path / "model.npy", {**content, "texBase": texture})
    with pytest.raises(NotFiniteError, match=rf"texBase .* in float32: 2 of {texture.size}$"):
        convert_faceverse(source, tmp_path / "model.npz")


def test_keys_nobody_knows_are_named_and_left_out(tmp_path, content, capsys):
    source = faceverse_file.save(tmp_path / "m.npy", {**content, "uv": [1], "a\nb": {}})
    convert_faceverse(source, tmp_path / "m.npz")
    assert capsys.readouterr().err == (
        f"{source}: left out, since nothing here knows them: a\\nb, uv\n"
    )
    assert_converted(tmp_path / "m.npz", content)


def without(*names):
    return lambda c: {k: x for k, x in c.items() if k not in names}


def other(name, change):
    return lambda c: {**c, name: change(c[name])}


def with_last(value):
    def change(array):
        array = array.copy()
        array.reshape(-1)[-1] = value
        return array

    return change


def base_version(axes):
    return lambda c: {
        **{k: x for k, x in c.items() if k != "exp_name_list"},
        **{k: c[k][:, [0] * n] for k, n in zip(("idBase", "exBase", "texBase"), axes, strict=True)},
    }


SWAPPED = [EXPRESSIONS[1], EXPRESSIONS[0], *EXPRESSIONS[2:]]
BAD = [
    (without("meanshape"), "no FaceVerse v2 model: meanshape missing"),
    (without("tri", "texBase"), "texBase, tri missing"),
    (without("exp_name_list"), "exp_name_list missing"),
    (lambda c: {}, "meanshape, meantex, idBase"),
    (other("meanshape", lambda x: x.T), r"meanshape has shape \(3, 420\)"),
    (other("meanshape", lambda x: x[:, :2]), r"meanshape has shape \(420, 2\)"),
    (other("meanshape", lambda x: x.reshape(-1)[1:]), r"meanshape has shape \(1259,\)"),
    (other("meanshape", with_last(np.nan)), "meanshape holds numbers that are not finite"),
    (other("meanshape", lambda x: x[:0]), "meanshape is no array of numbers"),
    (other("meanshape", lambda x: x.tolist()), "meanshape is no array of numbers"),
    (other("meanshape", lambda x: x.astype(str)), "meanshape is no array of numbers"),
    (other("meanshape", lambda x: x.astype(object)), "meanshape is no array of numbers"),
    (other("meanshape", lambda x: x > 0), "meanshape is no array of numbers"),
    (other("meantex", lambda x: x[:, 3:]), "meantex has 419 vertices, meanshape 420"),
    (other("idBase", lambda x: x[:, 1:]), r"idBase has shape \(1260, 149\), not \(1260, 150\)"),
    (other("idBase", lambda x: x.T), r"idBase has shape \(150, 1260\), not \(1260, 150\)"),
    (other("exBase", lambda x: x[3:]), r"exBase has shape \(1257, 52\)"),
    (other("exBase", lambda x: x.astype(float) * 1e300), "exBase holds numbers that are not"),
    (other("texBase", lambda x: None), "texBase is no array of numbers"),
    (other("texBase", with_last(-np.inf)), "texBase holds numbers that are not finite"),
    (other("tri", lambda x: x + 1), "tri names vertices 1 to 420, there are 420"),
    (other("tri", lambda x: x - 1), "tri names vertices -1 to 418"),
    (other("tri", lambda x: x.reshape(-1)), "tri has shape"),
    (other("tri", lambda x: x.astype(float) / 2), "tri holds numbers that are not whole"),
    (other("tri", lambda x: with_last(np.nan)(x.astype(float))), "tri names vertices nan"),
    (other("keypoints", lambda x: x[1:]), r"keypoints has shape \(65, 1\), not \(66,\)"),
    (other("keypoints", with_last(28631)), "keypoints names vertices 0 to 28631, there are 420"),
    (other("exp_name_list", lambda x: x[1:]), "exp_name_list has 51 names, not 52"),
    (other("exp_name_list", lambda x: SWAPPED), "exp_name_list: 0 is 'browDownRight', expected 'b"),
    (other("exp_name_list", lambda x: None), "exp_name_list is no list of names"),
    (other("exp_name_list", lambda x: np.zeros(52)), "exp_name_list is no list of names"),
    (other("exp_name_list", lambda x: [x]), "exp_name_list is no list of names"),
    (base_version((120, 64, 200)), "FaceVerse version 0; the coefficients are of version 2"),
    (base_version((150, 74, 251)), "FaceVerse version 1; the coefficients are of version 2"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message for _, message in BAD])
def test_a_model_that_does_not_fit(tmp_path, content, change, message):
    source = faceverse_file.save(tmp_path / "model.npy", change(content))
    assert_refused(source, tmp_path / "out.npz", message)


def assert_refused(source, out, message):
    with pytest.raises(UserError, match=message) as caught:
        convert_faceverse(source, out)
    assert str(caught.value).startswith(f"{source}: ")
    assert "\n" not in str(caught.value)
    assert not out.exists()
    assert not list(out.parent.glob(".*"))


def test_other_files(tmp_path, content):
    out = tmp_path / "out.npz"
    source = tmp_path / "model.npy"
    assert_refused(source, out, "no such file")
    assert_refused(tmp_path, out, "a folder; give the file in it")
    np.savez(tmp_path / "model.npz", content["tri"])
    assert_refused(tmp_path / "model.npz", out, "a zip archive")
    np.save(source, np.zeros((1, 1, 486)))
    assert_refused(source, out, r"holds numbers, <f8 \(1, 1, 486\).*; give faceverse_simple_v2.npy")
    for data in (b"", b"\x93NUM", pickle.dumps(content)):
        source.write_bytes(data)
        assert_refused(source, out, "not an .npy file")
    source.write_bytes(b"\x93NUMPY\x09\x00")
    assert_refused(source, out, "not an .npy file")
    faceverse_file.save(source, list(content))
    assert_refused(source, out, "it holds no dictionary")
    np.save(source, np.array([content, content], object), allow_pickle=True)
    assert_refused(source, out, "it holds no dictionary")


class Gadget:
    """Pickles to the call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("place", ["key", "list", "instead"])
def test_code_in_the_file_is_refused_and_not_run(tmp_path, content, protocol, place):
    marker = tmp_path / "owned"
    gadget = Gadget(os.mkdir, str(marker))
    if place == "key":
        whole = {**content, "idBase": gadget}
    elif place == "list":
        whole = {**content, "exp_name_list": [gadget]}
    else:
        whole = gadget
    source = faceverse_file.save(tmp_path / "model.npy", whole, protocol)
    np.load(source, allow_pickle=True)  # it does what it says; else the test would prove nothing
    marker.rmdir()
    assert_refused(source, tmp_path / "out.npz", r"refused: it names \w+\.mkdir, which no array")
    assert not marker.exists()


def test_nothing_is_overwritten(tmp_path, content):
    source = faceverse_file.save(tmp_path / "model.npy", content)
    (tmp_path / "out.npz").write_text("precious")
    with pytest.raises(UserError, match="exists already"):
        convert_faceverse(source, tmp_path / "out.npz")
    assert (tmp_path / "out.npz").read_text() == "precious"


def test_the_command_line(tmp_path, content, monkeypatch, capsys):
    import convert_weights

    source = faceverse_file.save(tmp_path / "model.npy", content)
    out = tmp_path / "runs" / "faceverse.npz"
    command = ["convert_weights.py", "faceverse", str(source), str(out)]
    monkeypatch.setattr(sys, "argv", command)
    run_command(convert_weights.main)
    assert_converted(out, content)
    with pytest.raises(SystemExit) as stopped:
        run_command(convert_weights.main)
    assert stopped.value.code == 1
    assert capsys.readouterr().err.endswith(
        f"error: {out}: exists already; remove it or choose another name\n"
    )


@pytest.mark.slow
def test_the_released_size(tmp_path):
    content = faceverse_file.faceverse(faceverse_file.FULL, np.float64)
    source = faceverse_file.save(tmp_path / "model.npy", content)
    convert_faceverse(source, tmp_path / "model.npz")
    assert_converted(tmp_path / "model.npz", content)
