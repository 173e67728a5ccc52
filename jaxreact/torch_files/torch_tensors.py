"""What PyTorch's pickles are made of, in numpy: storages, strided tensors, dtypes, and the table of
globals that a checkpoint may name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from jaxreact.torch_files.numpy_pickle import PickledDtype, encode, numpy_scalar
from jaxreact.torch_files.plain_pickle import Attributes, Call, Malformed, simple

DTYPES: dict[str, Any] = {
    "float64": np.float64,
    "float32": np.float32,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "float8_e5m2": ml_dtypes.float8_e5m2,
    "int64": np.int64,
    "int32": np.int32,
    "int16": np.int16,
    "int8": np.int8,
    "uint64": np.uint64,
    "uint32": np.uint32,
    "uint16": np.uint16,
    "uint8": np.uint8,
    "bool": np.bool_,
    "complex64": np.complex64,
    "complex128": np.complex128,
}
STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}


@dataclass(frozen=True)
class Storage:
    """A named piece of memory: `count` elements of `dtype`, from element `start` of what is stored
    as `key`."""

    key: str
    dtype: np.dtype
    count: int
    start: int = 0


@dataclass(frozen=True, eq=False)
class Tensor:
    """A strided view of a storage; strides and offset count elements of `dtype`."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype

    def view(self, buffer: bytes | memoryview) -> np.ndarray:
        """The tensor as a read-only array over the bytes of what its storage's key names.

        Raises Malformed where it would reach outside its storage, or the storage outside `buffer`.
        """
        size = self.storage.dtype.itemsize
        first, last = (self.storage.start * size, (self.storage.start + self.storage.count) * size)
        if last > len(buffer):
            raise Malformed(f"storage {self.storage.key} has {len(buffer)} bytes, needs {last}")
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        reach = self.offset + sum(
            (n - 1) * step for n, step in zip(self.shape, self.strides, strict=True)
        )
        if (reach + 1) * self.dtype.itemsize > last - first:
            raise Malformed(f"a tensor reaches outside its storage {self.storage.key}")
        whole = np.frombuffer(buffer, np.uint8)[first:last]
        # as_strided asks NumPy for the type by name, which it lacks for float8_e5m2.
        kind = np.dtype(np.uint8) if self.dtype.itemsize == 1 else self.dtype
        usable = whole[: len(whole) // kind.itemsize * kind.itemsize].view(kind)
        return np.lib.stride_tricks.as_strided(
            usable[self.offset :],
            self.shape,
            [step * kind.itemsize for step in self.strides],
            writeable=False,
        ).view(self.dtype)


def swap_bytes(buffer: bytes | memoryview, dtype: np.dtype) -> bytes:
    """The bytes of elements of `dtype` in the other byte order."""
    width = dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize
    return np.frombuffer(buffer, f"u{width}").byteswap().tobytes()


def _tensor(
    storage: Any, offset: Any, shape: Any, strides: Any, dtype: np.dtype | None = None
) -> Tensor:
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, Storage) or len(shape) != len(strides):
        raise Malformed("a tensor without storage or strides")
    if any(not isinstance(number, int) or number < 0 for number in numbers):
        raise Malformed("a tensor with a negative size or stride")
    return Tensor(storage, offset, tuple(shape), tuple(strides), dtype or storage.dtype)


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    return _tensor(storage, offset, shape, strides)


def _rebuild_tensor_v3(
    storage: Any,
    offset: Any,
    shape: Any,
    strides: Any,
    _grad: Any,
    _hooks: Any,
    dtype: Any,
    *_: Any,
) -> Tensor:
    if not isinstance(dtype, np.dtype):
        raise Malformed("a tensor without a dtype")
    return _tensor(storage, offset, shape, strides, dtype)


def _path(*parts: Any) -> str:
    return "/".join(parts).replace("//", "/")


def _device(kind: Any, index: Any = None) -> str:
    if not isinstance(kind, str) or not isinstance(index, (int, type(None))):
        raise Malformed("a device that is none")
    return kind if index is None else f"{kind}:{index}"


def _globals() -> dict[str, Any]:
    table: dict[str, Any] = {
        "collections.OrderedDict": Call(lambda pairs=(): {simple(k): v for k, v in pairs}),
        "torch._utils._rebuild_tensor": Call(_rebuild_tensor),
        "torch._utils._rebuild_tensor_v2": Call(_rebuild_tensor),
        "torch._utils._rebuild_tensor_v3": Call(_rebuild_tensor_v3),
        "torch._utils._rebuild_parameter": Call(lambda data, *_: data),
        "torch.Size": Call(lambda sizes=(): tuple(sizes)),
        "torch.device": Call(_device),
        "torch.storage.UntypedStorage": np.dtype(np.uint8),
        "_codecs.encode": Call(encode),
        "numpy.dtype": Call(PickledDtype),
    }
    for name, dtype in DTYPES.items():
        table[f"torch.{name}"] = np.dtype(dtype)
    for name, dtype in STORAGES.items():
        table[f"torch.{name}"] = table[f"torch.cuda.{name}"] = np.dtype(DTYPES[dtype])
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        table[f"{module}.scalar"] = Call(numpy_scalar)
    for module in ("builtins", "__builtin__"):
        table[f"{module}.set"] = Call(lambda items=(): set(map(simple, items)))
    for name in ("PosixPath", "WindowsPath", "PurePosixPath", "Path"):
        table[f"pathlib.{name}"] = table[f"pathlib._local.{name}"] = Call(_path)
    for name in (
        "argparse.Namespace",
        "lightning_fabric.utilities.data.AttributeDict",
        "lightning.fabric.utilities.data.AttributeDict",
        "pytorch_lightning.utilities.parsing.AttributeDict",
    ):
        table[name] = Call(Attributes)
    return table


GLOBALS = _globals()
"""Every global that a checkpoint may name, and what stands for it: tensors and their parts, and the
plain data that Lightning keeps beside them. Adding one here is a decision about safety."""


def materialise(value: Any, read: Callable[[Storage], bytes | memoryview]) -> Any:
    """`value` with every `Tensor` replaced by an array; `read` gives the bytes that a storage's key
    names. Containers may be shared or contain themselves; each is converted once."""
    done: dict[int, Any] = {}

    def convert(item: Any) -> Any:
        if id(item) in done:
            return done[id(item)]
        if isinstance(item, Tensor):
            result = done[id(item)] = item.view(read(item.storage))
        elif isinstance(item, dict):
            result = done[id(item)] = {}
            result.update((key, convert(inner)) for key, inner in item.items())
        elif isinstance(item, list):
            result = done[id(item)] = []
            result.extend(convert(inner) for inner in item)
        elif isinstance(item, tuple):
            result = done[id(item)] = tuple(convert(inner) for inner in item)
        else:
            result = item
        return result

    try:
        return convert(value)
    except RecursionError:
        raise Malformed("it is nested too deeply") from None


def storage_of(parts: Any) -> Storage:
    """The storage that a persistent id describes: ("storage", type, key, device, count[, view])."""
    kind, dtype, key, _device, count, *rest = parts
    if kind != "storage" or not isinstance(dtype, np.dtype) or not isinstance(key, str):
        raise Malformed("a persistent id that is no storage")
    start = 0
    if rest and rest[0] is not None:
        _view_key, start, count = rest[0]
    if not (isinstance(count, int) and isinstance(start, int)) or min(count, start) < 0:
        raise Malformed("a storage with a negative size")
    return Storage(key, dtype, count, start)
