"""Checkpoints are read as torch reads them; what is none is told in one line."""

import argparse
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.torch_files.torch_file import read_checkpoint, read_state_dict, read_training_record
from tests.torch_files.handmade import tensor_pickle, write_archive

CHECKPOINTS = Path(__file__).parents[1] / "golden" / "checkpoints"


@pytest.mark.parametrize("path", sorted(CHECKPOINTS.glob("*.ckpt")), ids=lambda path: path.stem)
def test_golden_checkpoints_read_as_torch_reads_them(path):
    torch = pytest.importorskip("torch")
    expected = torch.load(path, map_location="cpu", weights_only=True)
    ours = read_checkpoint(path)
    assert list(ours) == list(expected)
    tensors = read_state_dict(path)
    assert list(tensors) == list(expected["state_dict"])
    for name, tensor in expected["state_dict"].items():
        assert tensors[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(tensors[name], tensor.numpy())
    assert read_training_record(path) == {name: ours[name] for name in ("epoch", "global_step")}


def test_a_real_lightning_checkpoint_keeps_what_stands_beside_the_weights():
    content = read_checkpoint(CHECKPOINTS / "lightning_real_tokenizer_small.ckpt")
    moments = content["optimizer_states"][0]["state"][0]["exp_avg"]
    assert moments.shape == (24, 58)
    assert content["loops"]["fit_loop"]["epoch_progress"]["total"]["completed"] == 9


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_every_kind_of_tensor(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    base = torch.arange(60, dtype=torch.float32).reshape(3, 4, 5)
    tensors = {
        "transposed": base.transpose(0, 2),
        "part": base[1:, ::2, 3],
        "same storage": base,
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 7),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 4),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "bfloat16": torch.tensor([1.5, -2.25], dtype=torch.bfloat16),
    }
    for name in ("float64", "float16", "int64", "int32", "int16", "int8", "uint8", "complex64"):
        tensors[name] = torch.tensor([1, 2, 3]).to(getattr(torch, name))
    tensors["bool"] = torch.tensor([True, False])
    if zipped:
        tensors["uint16"] = torch.tensor([1, 65535], dtype=torch.uint16)
        tensors["float8"] = torch.tensor([1.5, 2.0]).to(torch.float8_e4m3fn)
    path = tmp_path / "model.ckpt"
    torch.save({"state_dict": tensors}, path, _use_new_zipfile_serialization=zipped)
    ours = read_state_dict(path)
    for name, tensor in tensors.items():
        if name in ("bfloat16", "float8"):
            assert ours[name].dtype == {"bfloat16": ml_dtypes.bfloat16}.get(
                name, ml_dtypes.float8_e4m3fn
            )
            np.testing.assert_array_equal(ours[name].astype(np.float32), tensor.float().numpy())
        else:
            expected = tensor.detach().numpy()
            assert ours[name].dtype == expected.dtype
            np.testing.assert_array_equal(ours[name], expected)


def test_plain_data_beside_the_weights(tmp_path):
    torch = pytest.importorskip("torch")
    extra = {
        "args": argparse.Namespace(lr=0.1),
        "where": Path("a") / "b",
        "score": np.float64(2.5),
        "names": {"x"},
        "size": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "ordered": OrderedDict(a=1),
        "cycle": [],
    }
    extra["cycle"].append(extra["cycle"])
    torch.save({"state_dict": {"w": torch.ones(1)}, **extra}, tmp_path / "m.ckpt")
    ours = read_checkpoint(tmp_path / "m.ckpt")
    assert ours["args"] == {"lr": 0.1}
    assert (ours["where"], ours["score"], ours["names"]) == ("a/b", 2.5, {"x"})
    assert (ours["size"], ours["device"], ours["ordered"]) == ((2, 3), "cpu", {"a": 1})
    assert ours["cycle"][0] is ours["cycle"]


def test_a_bare_state_dict_and_safetensors(tmp_path):
    from safetensors.numpy import save_file

    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones((), np.int64)}
    save_file(tensors, tmp_path / "model.safetensors")
    for name, tensor in read_state_dict(tmp_path / "model.safetensors").items():
        np.testing.assert_array_equal(tensor, tensors[name])
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.ones(2)}, tmp_path / "pytorch_model.bin")
    np.testing.assert_array_equal(read_state_dict(tmp_path / "pytorch_model.bin")["a"], [1, 1])


def test_big_endian_storage(tmp_path):
    stored = np.array([1.5, -2.0, 3.0], ">f4").tobytes()
    path = write_archive(
        tmp_path / "big.ckpt", tensor_pickle(1, (2,), (1,), 3), {"0": stored}, byteorder=b"big"
    )
    np.testing.assert_array_equal(read_state_dict(path)["w"], [-2.0, 3.0])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "neither a PyTorch file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "neither a PyTorch file"),
        (struct.pack("<q", 10**12) + b"{" + b"x" * 50, "not a readable checkpoint"),
        (pickle.dumps({"state_dict": {}}), "not PyTorch's"),
        (b"\x80\x02" + pickle.BINUNICODE8 + struct.pack("<Q", 2**60), "more than fits the memory"),
    ],
)
def test_what_is_no_checkpoint(tmp_path, content, reason):
    path = tmp_path / "model.ckpt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=reason):
        read_state_dict(path)


def test_missing_files_and_directories(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read_state_dict(tmp_path / "none.ckpt")
    with pytest.raises(UserError, match="a folder; give the checkpoint file in it"):
        read_state_dict(tmp_path)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "no weights")
    with pytest.raises(UserError, match=r"no data\.pkl"):
        read_state_dict(tmp_path / "other.zip")
