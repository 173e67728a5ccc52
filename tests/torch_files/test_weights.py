"""What converters read: plain names and float32, from any container, and every change is said."""

import re
import warnings

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from jaxreact.errors import Remark, UserError
from jaxreact.torch_files.weights import read_weights
from tests.torch_files.handmade import tensor_pickle, write_archive

VALUES = np.array([[1.5, -2.25], [0.0, 3e-5]], np.float32)


def quietly(path, *arguments):
    """The weights, of which nothing needs to be said."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_weights(path, *arguments)


def said(path, *arguments):
    """The weights, and what was said of them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        weights = read_weights(path, *arguments)
    assert all(issubclass(warning.category, Remark) for warning in caught)
    lines = [str(warning.message) for warning in caught]
    assert all(line.startswith(f"{path}: ") and "\n" not in line for line in lines)
    return weights, [line.removeprefix(f"{path}: ") for line in lines]


@pytest.mark.parametrize("container", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_other_precisions_become_float32(tmp_path, container, kind):
    dtype = ml_dtypes.bfloat16 if kind == "bfloat16" else np.dtype(kind)
    held = VALUES.astype(dtype)
    path = tmp_path / "file"
    if container == "safetensors":
        save_file({"a": held, "b": VALUES, "n": np.arange(3)}, path)
    else:
        torch = pytest.importorskip("torch")
        tensors = {
            "a": torch.from_numpy(VALUES).to(getattr(torch, kind)),
            "b": torch.tensor(VALUES),
        }
        tensors["n"] = torch.arange(3)
        state = {"state_dict": tensors}
        torch.save(state, path, _use_new_zipfile_serialization=container == "zip")
    weights, lines = said(path)
    assert {name: x.dtype for name, x in weights.items()} == {
        **dict.fromkeys("ab", np.dtype(np.float32)),
        "n": np.dtype(np.int64),
    }
    np.testing.assert_array_equal(weights["a"], held.astype(np.float32))
    np.testing.assert_array_equal(weights["b"], VALUES)
    rounded = ", those of float64 rounded" if kind == "float64" else ""
    assert lines == [f"tensors converted to float32{rounded}: 1 of {kind}"]


def test_mixed_precisions_are_said_in_one_line(tmp_path):
    kinds = (np.float16, np.float64, ml_dtypes.bfloat16, np.float16, np.float32)
    path = tmp_path / "x.safetensors"
    save_file({f"t{i}": VALUES.astype(kind) for i, kind in enumerate(kinds)}, path)
    assert said(path)[1] == [
        "tensors converted to float32, those of float64 rounded: 1 of bfloat16 and 2 of float16 and"
        " 1 of float64"
    ]


def test_numbers_beyond_float32_stay_for_the_one_who_needs_them(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": np.array([1.0, 1e39]), "b": np.array([np.inf, np.nan, 1e-50])}, path)
    weights, lines = said(path)
    assert weights["a"].dtype == np.float64
    np.testing.assert_array_equal(weights["b"], np.array([np.inf, np.nan, 0], np.float32))
    assert lines == ["tensors converted to float32, those of float64 rounded: 1 of float64"]


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2"])
def test_float8_of_safetensors_is_a_clear_line(tmp_path, kind):
    header = b'{"a":{"dtype":"%s","shape":[2],"data_offsets":[0,2]}}' % kind.encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(2))
    with pytest.raises(UserError, match=r"a tensor of float8_e\w+, which .* save it as float32"):
        read_weights(path)


@pytest.mark.parametrize("kind", ["float8_e4m3fn", "float8_e5m2", "complex64", "complex128"])
def test_what_is_no_plain_number_is_a_clear_line(tmp_path, kind):
    torch = pytest.importorskip("torch")
    tensors = {name: torch.ones(2).to(getattr(torch, kind)) for name in ("module.a", "b")}
    path = tmp_path / "x.pt"
    torch.save({**tensors, "c": torch.ones(2)}, path)
    with pytest.raises(UserError, match=rf"2 tensors of {kind}: a, b; save them as float32"):
        read_weights(path)


def test_a_small_file_does_not_become_a_large_one(tmp_path):
    data = tensor_pickle(0, (2**20, 2**20), (0, 0), 8, "HalfStorage")
    path = write_archive(tmp_path / "wide.ckpt", data, {"0": bytes(16)})
    with pytest.raises(UserError, match=r"its tensors would take 2199023255552 bytes"):
        read_weights(path)


def test_wrappers_are_said_with_the_file(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"module._orig_mod.a": VALUES, "module._orig_mod.b.c": VALUES}, path)
    weights, lines = said(path)
    assert list(weights) == ["a", "b.c"]
    assert lines == ["_orig_mod. and module. taken off 2 of 2 names"]
    assert list(quietly(path, ("state_dict",), {"module", "_orig_mod"})) == [
        "module._orig_mod.a",
        "module._orig_mod.b.c",
    ]


ONE, TWO = ({"w": np.full(2, value, np.float32)} for value in (1, 2))
ENTRIES = [
    ({"state_dict": ONE, "ema_state_dict": TWO}, 1, "its state_dict is taken, not the average"),
    ({"state_dict_ema": TWO, "state_dict": ONE}, 1, "its state_dict is taken, not the average"),
    ({"state_dict": ONE, "model_ema": {"module": TWO}}, 1, "over training: model_ema"),
    ({"state_dict_ema": TWO, "epoch": 3}, 2, "its state_dict_ema, the average .*, is taken$"),
    ({"ema": {"state_dict": TWO}, "optimizer": {}}, 2, "its ema, the average .*, is taken"),
    ({"model": ONE, "model_ema": TWO}, 1, "its model is taken, not the average"),
    ({"model": ONE, "optimizer": {"state": {}}, "iter_num": 3}, 1, "weights are taken from model$"),
    ({"model": "resnet", "state_dict": ONE}, 1, None),
    ({"model_state_dict": ONE}, 1, "from model_state_dict$"),
    ({"state_dict": {"model": ONE}}, 1, None),
    ({"state_dict": TWO, "current_model_state": ONE}, 2, "not its current_model_state"),
    ({"state_dict": ONE, "ema_decay": 0.99, "ema_history": [1], "ema": {"decay": 0.9}}, 1, None),
    (ONE, 1, None),
]


@pytest.mark.parametrize(("content", "value", "remark"), ENTRIES)
def test_which_entry_is_taken(tmp_path, content, value, remark):
    torch = pytest.importorskip("torch")
    path = tmp_path / "x.pt"
    torch.save(as_torch(content), path)
    weights, lines = said(path)
    np.testing.assert_array_equal(weights["w"], [value] * 2)
    assert len(lines) == (remark is not None)
    assert remark is None or re.search(remark, lines[0])


def as_torch(content):
    import torch

    if isinstance(content, dict):
        return {name: as_torch(inner) for name, inner in content.items()}
    return torch.from_numpy(content) if isinstance(content, np.ndarray) else content


def test_a_dictionary_that_contains_itself(tmp_path):
    cycle: dict = {"epoch": 1}
    cycle["model"] = cycle["ema"] = cycle
    path = write_archive(tmp_path / "x.pt", cycle)
    with pytest.raises(UserError, match="no state_dict in it"):
        read_weights(path)
