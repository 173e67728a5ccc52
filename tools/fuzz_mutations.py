"""Bytes of a file, changed as damage, cut-off downloads and other programs change them."""

import re
import struct

import numpy as np

_SIZES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**63 - 1, 2**64 - 1)
_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"4294967296",
    b"9" * 40,
    b"1e400",
    b"nan",
    b"",
    b"0x10",
    b"[" * 2000,
)
_TEXTS = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\n",
    b"\r",
    b'"',
    b",",
    b";",
    b"\t",
    b"{",
    b"[",
    b"]",
)


def mutate(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """`content` after one to four changes; `other` is another file of its kind to splice with."""
    for _ in range(int(rng.integers(1, 5))):
        change = _CHANGES[int(rng.integers(len(_CHANGES)))]
        content = change(content, other, rng)
    return content


def _place(content: bytes, rng: np.random.Generator) -> int:
    """A position: half of them in the first 512 bytes or the last, where formats keep lengths."""
    size, kind = len(content), int(rng.integers(4))
    if kind == 0:
        return int(rng.integers(min(size, 512) + 1))
    if kind == 1:
        return size - int(rng.integers(min(size, 512) + 1))
    return int(rng.integers(size + 1))


def _stretch(content: bytes, rng: np.random.Generator) -> tuple[int, int]:
    first = _place(content, rng)
    return first, min(len(content), first + int(2 ** rng.uniform(0, 12)))


def _flip(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9)) if content else 0):
        changed[min(_place(content, rng), len(content) - 1)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _overwrite(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    first, last = _stretch(content, rng)
    return content[:first] + rng.bytes(last - first) + content[last:]


def _truncate(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)]


def _delete(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    first, last = _stretch(content, rng)
    return content[:first] + content[last:]


def _repeat(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    first, last = _stretch(content, rng)
    return content[:last] + content[first:last] * int(rng.integers(1, 4)) + content[last:]


def _splice(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    return content[: _place(content, rng)] + other[_place(other, rng) :]


def _length(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """An integer of 2, 4 or 8 bytes in either order, as lengths in headers are."""
    width = ("H", "I", "Q")[int(rng.integers(3))]
    value = int(_SIZES[int(rng.integers(len(_SIZES)))]) % 2 ** (8 * struct.calcsize(width))
    field = struct.pack("<>"[int(rng.integers(2))] + width, value)
    first = _place(content, rng)
    return content[:first] + field + content[first + len(field) :]


def _number(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """A number that stands as text, as in tables, JSON and headers of npy."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[: 1 << 16]))
    if not found:
        return _flip(content, other, rng)
    match = found[int(rng.integers(len(found)))]
    instead = _NUMBERS[int(rng.integers(len(_NUMBERS)))]
    return content[: match.start()] + instead + content[match.end() :]


def _insert(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    first = _place(content, rng)
    return content[:first] + _TEXTS[int(rng.integers(len(_TEXTS)))] + content[first:]


_CHANGES = (
    *(_flip, _flip, _overwrite, _truncate, _delete, _repeat, _splice),
    *(_length, _length, _number, _number, _insert),
)
