"""PyTorch files written by hand, so that they can say what torch would never write."""

import pickle
import zipfile
from pathlib import Path


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


def with_central_fields(path: Path, **fields: int) -> Path:
    """The archive with these two-byte fields changed in each entry of its table of contents."""
    places = {"version": 6, "flags": 8, "method": 10}
    data = bytearray(path.read_bytes())
    at = -1
    while (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        for name, value in fields.items():
            data[at + places[name] : at + places[name] + 2] = value.to_bytes(2, "little")
    path.write_bytes(data)
    return path
