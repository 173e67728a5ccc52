"""Nothing in a checkpoint is ever run, and a damaged one is an error of one line."""

import io
import os
import pickle
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.torch_files.torch_file import read_checkpoint, read_state_dict, read_training_record
from tests.torch_files.handmade import tensor_pickle, with_central_fields, write_archive

CHECKPOINTS = Path(__file__).parents[1] / "golden" / "checkpoints"


class Gadget:
    """Pickles to the call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


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
        (nested_key(200_000), "a tuple as a key"),
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
    ("fields", "reason"),
    [
        ({"flags": 0x1}, "encrypted"),
        ({"flags": 0x41}, "encrypted"),
        ({"flags": 0x20}, "damaged"),  # patched data
        ({"flags": 0x40}, "damaged"),  # strong encryption
        ({"version": 99}, "damaged"),
        *(({"method": method}, "compressed") for method in (1, 8, 9, 12, 14, 93, 97, 65535)),
    ],
)
@pytest.mark.parametrize("read", [read_checkpoint, read_state_dict, read_training_record])
def test_an_archive_that_zipfile_cannot_read(tmp_path, fields, reason, read):
    path = write_archive(
        tmp_path / "x.ckpt", tensor_pickle(0, (2,), (1,), 2), {"0": bytes(8)}, byteorder=b"little"
    )
    read_state_dict(path)
    with pytest.raises(UserError, match=reason) as caught:
        read(with_central_fields(path, **fields))
    assert "\n" not in str(caught.value)


def doubled(depth: int) -> bytes:
    """A list that holds the one before it twice, and so on: written out it fills any memory."""
    return b"]q\x000" + b"]q\x01(h\x00h\x00e0h\x01q\x000" * depth + b"h\x00"


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(lambda x: b"ctorch\ndevice\n" + x + b"\x85R", id="device"),
        pytest.param(lambda x: x + b"\x8c\x01x\x93", id="a global's module"),
        pytest.param(lambda x: b"\x8c\x01x" + x + b"\x93", id="a global's name"),
        pytest.param(lambda x: b"cnumpy\ndtype\n" + x + b"\x85R", id="dtype"),
        pytest.param(lambda x: b"c_codecs\nencode\n\x8c\x01x" + x + b"\x86R", id="codec"),
        pytest.param(lambda x: x + b"Q", id="storage"),
        pytest.param(lambda x: b"cpathlib\nPath\n" + x + b"\x85R", id="path"),
    ],
)
@pytest.mark.parametrize("what", [b"]" * 20_000 + b"a" * 19_999, doubled(60)], ids=["deep", "wide"])
def test_nothing_is_written_out_that_has_no_end(tmp_path, program, what):
    path = write_archive(tmp_path / "x.ckpt", STATE_DICT + program(what) + b"s.")
    with pytest.raises(UserError) as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "state", [b"]" + b")" + b"\x85" * 200_000 + b"K\x01\x86a", b"K\x01", b")"], ids=lambda _: ""
)
def test_attributes_that_are_none(tmp_path, state):
    data = STATE_DICT + b"cargparse\nNamespace\n)R" + state + b"bs."
    with pytest.raises(UserError, match="attributes that are no dictionary"):
        read_state_dict(write_archive(tmp_path / "x.ckpt", data))


@pytest.mark.parametrize("keys", [3, {"0": 1}, [["0"]], [1], None])
def test_an_older_files_storages_have_names(tmp_path, keys):
    parts = [pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {})]
    parts += [tensor_pickle(0, (2,), (1,), 2), pickle.dumps(keys, 2)]
    path = tmp_path / "x.ckpt"
    path.write_bytes(b"".join(parts))
    with pytest.raises(UserError, match="its storages are no list of names"):
        read_state_dict(path)


@pytest.mark.parametrize(
    "header",
    [
        b'{"a":1}',
        b'{"a":' + b"[" * 100_000,
        b'{"\xff":1}',
        b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}',
        b'{"a":{"dtype":"F32","shape":[18446744073709551615,9],"data_offsets":[0,8]}}',
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}',
        b'{"a":{"dtype":"X1","shape":[2],"data_offsets":[0,8]}}',
        b'{"a":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}}',
        b'{"__metadata__":5}',
        b"{}",
    ],
)
def test_a_header_of_safetensors_that_is_wrong(tmp_path, header):
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(UserError, match="not a readable checkpoint") as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
