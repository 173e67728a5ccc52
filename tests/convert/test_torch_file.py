"""Checkpoints are read right, and nothing in them is ever run."""

import io
import os
import pickle
import random
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from jaxreact.convert.torch_file import read_checkpoint, read_state_dict, read_training_record
from jaxreact.errors import UserError

CHECKPOINTS = Path(__file__).parents[1] / "golden" / "checkpoints"


class Gadget:
    """Pickles to the call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def write_archive(path: Path, content, storages: dict[str, bytes] | None = None, **records: bytes):
    """A file as `torch.save` lays it out, around any pickle."""
    data = content if isinstance(content, bytes) else pickle.dumps(content, protocol=2)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for name, record in records.items():
            archive.writestr(f"archive/{name}", record)
        for key, stored in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", stored)
    return path


def tensor_pickle(offset, shape, strides, count, storage="FloatStorage") -> bytes:
    """`{"state_dict": {"w": tensor}}` over the storage "0", written by hand, without torch."""
    integers = lambda values: pickle.dumps(values, protocol=2)[2:-1]  # noqa: E731
    persistent = b"(" + integers("storage") + f"ctorch\n{storage}\n".encode()
    persistent += integers("0") + integers("cpu") + integers(count) + b"tQ"
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n(" + persistent + integers(offset)
    rebuild += integers(tuple(shape)) + integers(tuple(strides)) + b"\x89)tR"
    return b"\x80\x02}" + integers("state_dict") + b"}" + integers("w") + rebuild + b"ss."


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
    import argparse

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
    "function",
    [os.system, eval, exec, getattr, __import__, open, os.remove, print, breakpoint],
    ids=lambda function: function.__name__,
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("container", ["zip", "legacy", "raw"])
def test_a_global_that_is_not_permitted_is_refused_by_name(
    tmp_path, monkeypatch, function, protocol, container
):
    monkeypatch.setattr("builtins.breakpoint", function)
    data = pickle.dumps({"state_dict": Gadget(function, "touch owned")}, protocol=protocol)
    path = tmp_path / "evil.ckpt"
    if container == "zip":
        write_archive(path, data)
    elif container == "legacy":
        head = [pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {})]
        path.write_bytes(b"".join(head) + data)
    else:
        path.write_bytes(b"\x80\x04" + data)
    with pytest.raises(UserError) as caught:
        read_checkpoint(path)
    assert "refused" in str(caught.value)
    assert f"{function.__module__}.{function.__name__}" in str(caught.value).replace(
        "__builtin__", "builtins"
    )
    assert "\n" not in str(caught.value)


def marker_payloads(marker: Path) -> dict[str, bytes]:
    """Pickles that create `marker` when `pickle.load` runs them, each by another road."""
    command = f"open({str(marker)!r}, 'w')"
    shell = f"touch {marker}"
    return {
        "reduce": pickle.dumps(Gadget(os.system, shell), 2),
        "eval": pickle.dumps(Gadget(eval, command), 4),
        "inst": f"(S'{shell}'\nios\nsystem\n.".encode(),
        "obj": f"(cos\nsystem\nS'{shell}'\no.".encode(),
        "getattr": b"cbuiltins\ngetattr\n(cbuiltins\n__import__\n(S'os'\ntRS'system'\ntR"
        + f"(S'{shell}'\ntR.".encode(),
        "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93"
        + b"\x8c"
        + bytes([len(shell)])
        + shell.encode()
        + b"\x85R.",
        "dotted": b"\x80\x04\x8c\x05torch\x8c\x14serialization.os.sys\x93.",
        "build": b"ccollections\nOrderedDict\n)R}S'__class__'\ncos\nsystem\nsb.",
        "torch load": b"ctorch\nload\n(S'x'\ntR.",
        "torch hub": b"ctorch.hub\n_load_local\n(S'x'\nS'y'\ntR.",
        "numpy reconstruct": pickle.dumps(np.array([Gadget(eval, command)], object), 4),
    }


@pytest.mark.parametrize("name", sorted(marker_payloads(Path("x"))))
def test_no_code_runs(tmp_path, name):
    marker = tmp_path / "owned"
    payload = marker_payloads(marker)[name]
    if name in ("reduce", "eval", "inst", "obj", "getattr", "stack global"):
        pickle.loads(payload)  # the payload does what it says; else the test would prove nothing
        assert marker.exists()
        marker.unlink()
    path = write_archive(tmp_path / "evil.ckpt", payload)
    for read in (read_checkpoint, read_state_dict, read_training_record):
        with pytest.raises(UserError):
            read(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "count", "reason"),
    [
        (0, (5,), (1,), 4, "outside its storage"),
        (2, (2, 2), (2, 1), 4, "outside its storage"),
        (0, (2, 2), (2**62, 1), 4, "outside its storage"),
        (-1, (2,), (1,), 4, "negative"),
        (0, (2,), (-1,), 4, "negative"),
        (0, (4,), (1,), 10**15, "needs"),
        (0, (2, 2), (1,), 4, "without storage or strides"),
    ],
)
def test_a_tensor_that_does_not_fit_its_storage(tmp_path, offset, shape, strides, count, reason):
    data = tensor_pickle(offset, shape, strides, count)
    path = write_archive(tmp_path / "bad.ckpt", data, {"0": bytes(16)})
    with pytest.raises(UserError, match=reason):
        read_state_dict(path)


def test_an_expanded_tensor_takes_no_memory(tmp_path):
    data = tensor_pickle(0, (2**20, 2**20), (0, 0), 4)
    path = write_archive(tmp_path / "wide.ckpt", data, {"0": bytes(16)})
    assert read_state_dict(path)["w"].strides == (0, 0)


STATE_DICT = b"\x80\x02}X\x0a\x00\x00\x00state_dict"


def nested(depth: int) -> bytes:
    return STATE_DICT + b"}K\x01" + b"]" * depth + b"a" * (depth - 1) + b"ss."


def nested_key(depth: int) -> bytes:
    return STATE_DICT + b"})" + b"\x85" * depth + b"K\x01ss."


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (nested(100_000), "nested too deeply"),
        (nested_key(1_000_000), "a tuple as a key"),
        (b"\x80\x04\x8c\x03o\n\x1b\x8c\x01x\x93.", "refused"),
        (b"\x80\x02}r\xff\xff\xff\xffq\x00.", "state_dict"),
        (b"\x80\x02\x8a\x7f.", "not a readable|damaged"),
        (b"\x80\x02K\x01.", "no dictionary"),
        (STATE_DICT + b"K\x01s.", "state_dict is no dictionary"),
        (b"\x80\x02h\x07.", "not a readable"),
        (b"\x80\x02.", "not a readable"),
        (b"\x80\x02}", "not a readable"),
        (b"\x80\x02}]}s.", "not a readable"),
        (b"\x80\x02}X\x01\x00\x00\x00aK\x01s.", "no state_dict"),
    ],
)
def test_a_pickle_that_is_damaged_or_meant_to_hurt(tmp_path, data, reason):
    path = write_archive(tmp_path / "bad.ckpt", data)
    with pytest.raises(UserError, match=reason) as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)


def test_a_compressed_archive_is_refused_unread(tmp_path):
    path = tmp_path / "bomb.ckpt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    with pytest.raises(UserError, match="compressed"):
        read_checkpoint(path)


@pytest.mark.parametrize("source", ["zip", "legacy"])
def test_a_truncated_file_is_a_one_line_error(tmp_path, source):
    whole = CHECKPOINTS / "face_tokenizer_small_fsq.ckpt"
    if source == "legacy":
        torch = pytest.importorskip("torch")
        buffer = io.BytesIO()
        torch.save(torch.load(whole), buffer, _use_new_zipfile_serialization=False)
        data = buffer.getvalue()
    else:
        data = whole.read_bytes()
    places = random.Random(0).sample(range(1, len(data) - 1), 60)
    for size in [0, 1, 2, 9, 1000, len(data) - 1, *places]:
        path = tmp_path / "cut.ckpt"
        path.write_bytes(data[:size])
        with pytest.raises(UserError) as caught:
            read_state_dict(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_changed_byte_is_noticed_or_harmless(tmp_path):
    data = (CHECKPOINTS / "face_tokenizer_small_fsq.ckpt").read_bytes()
    chooser = random.Random(1)
    path = tmp_path / "changed.ckpt"
    for _ in range(150):
        place = chooser.randrange(len(data))
        changed = data[:place] + bytes([data[place] ^ (1 << chooser.randrange(8))])
        path.write_bytes(changed + data[place + 1 :])
        try:
            tensors = read_state_dict(path)
        except UserError:
            continue
        assert all(isinstance(tensor, np.ndarray) for tensor in tensors.values())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "neither a PyTorch file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "neither a PyTorch file"),
        (struct.pack("<q", 10**12) + b"{" + b"x" * 50, "not a readable checkpoint"),
        (pickle.dumps({"state_dict": {}}), "not PyTorch's"),
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
    with pytest.raises(UserError, match="a directory"):
        read_state_dict(tmp_path)
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "no weights")
    with pytest.raises(UserError, match=r"no data\.pkl"):
        read_state_dict(tmp_path / "other.zip")
