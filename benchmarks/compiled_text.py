"""What a compiled program of XLA's launches, and how much that reads and writes, from its text."""

import re
from collections.abc import Iterator
from typing import NamedTuple

BYTES = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "s64": 8, "u64": 8, "f64": 8}
OTHERWISE = 4
NOTHING = {"parameter", "get-tuple-element", "tuple", "constant", "bitcast", "after-all"}
"""Operations that only name what is there."""
COLLECTIVE = re.compile(r"(all-(reduce|gather|to-all)|reduce-scatter|collective-permute)(-start)?$")
ARRAY = re.compile(r"\b(pred|[a-z]+\d+)\[([\d,]*)\]")
SCRATCH = re.compile(r", [su]8\[\d+\]\{0\}")
COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\{$")
OPERATION = re.compile(r"(?:ROOT )?%([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*)$")


class Operation(NamedTuple):
    name: str
    shape: str
    kind: str
    rest: str


class Traffic(NamedTuple):
    launches: int
    """Kernels."""
    moved: float
    """Bytes that they read and write."""
    exchanged: float
    """Bytes of what devices give each other: what goes out and what comes in."""


def traffic(text: str) -> Traffic:
    """Loops are counted as often as they run, and one device of several.

    Of an array whose first axis is as long as the loop around it, one slice is counted; where one
    goes in and comes out, a slice of it is written. What libraries work in is not counted.
    """
    bodies: dict[str, list[Operation]] = {}
    entry, current = "", ""
    for line in text.splitlines():
        if begins := COMPUTATION.match(line):
            current = begins[2]
            bodies[current] = []
            entry = current if begins[1] else entry
        elif found := OPERATION.match(re.sub(r"/\*.*?\*/", "", line.strip())):
            bodies[current].append(Operation(*found.groups()))
    launched = list(_launched(bodies, entry, 1, 1))
    return Traffic(
        sum(times for _, times, _ in launched),
        sum(times * size for _, times, size in launched),
        sum(times * size for kind, times, size in launched if COLLECTIVE.match(kind)),
    )


def _launched(
    bodies: dict[str, list[Operation]], name: str, times: int, trips: int
) -> Iterator[tuple[str, int, float]]:
    """What each kernel is, how often it runs, and how many bytes once."""
    shapes: dict[str, str] = {}
    for operation in bodies[name]:
        shapes[operation.name] = operation.shape
        kind, rest = operation.kind, operation.rest
        if kind in NOTHING or kind.endswith("-done"):
            continue
        if kind == "while":
            count = re.search(r'known_trip_count.*?"n":"(\d+)"', rest)
            inner = int(count[1]) if count else 1
            yield from _launched(bodies, _called("body", rest), times * inner, inner)
        elif kind == "call":
            yield from _launched(bodies, _called("to_apply", rest), times, trips)
        elif COLLECTIVE.match(kind):
            yield kind, times, _exchanged(operation, shapes)
        elif kind.endswith("-start"):  # a copy from or to a slice
            sizes = [size for size in _sizes(operation.shape, trips) if size > 64]
            yield kind, times, 2 * min(sizes, default=0.0)
        else:
            used = dict.fromkeys(re.findall(r"%([\w.\-]+)", rest.partition(")")[0]))
            written = operation.shape
            if kind == "custom-call" or "__custom_fusion" in rest:
                written = SCRATCH.sub("", written)
            read = [shapes.get(one, "") for one in used]
            read = [shape for shape in read if not (_is_stack(shape, trips) and shape in written)]
            yield kind, times, sum(sum(_sizes(shape, trips)) for shape in (written, *read))


def _exchanged(operation: Operation, shapes: dict[str, str]) -> float:
    """Bytes in and out; their first axes count devices, not what a loop goes through."""
    given = re.findall(r"%([\w.\-]+)", operation.rest.partition(")")[0])
    sent = sum(sum(_sizes(shapes.get(one, ""), 1)) for one in given)
    told = sum(_sizes(operation.shape, 1))
    # What is begun names both.
    return told if operation.kind.endswith("-start") and told > sent else told + sent


def _called(role: str, rest: str) -> str:
    found = re.search(rf"{role}=%([\w.\-]+)", rest)
    assert found is not None
    return found[1]


def _sizes(shape: str, trips: int) -> list[float]:
    """Bytes of each array of a shape."""
    found: list[float] = []
    for kind, axes in ARRAY.findall(shape):
        lengths = _lengths(axes)
        size = float(BYTES.get(kind, OTHERWISE))
        for length in lengths:
            size *= length
        found.append(size / lengths[0] if _are_slices(lengths, trips) else size)
    return found


def _is_stack(shape: str, trips: int) -> bool:
    """Whether it is one array, of which a loop takes or gives a slice at a time."""
    arrays = ARRAY.findall(shape)
    return len(arrays) == 1 and _are_slices(_lengths(arrays[0][1]), trips)


def _are_slices(lengths: list[int], trips: int) -> bool:
    return trips > 1 and len(lengths) > 1 and lengths[0] in (trips, trips + 1)


def _lengths(axes: str) -> list[int]:
    return [int(length) for length in axes.split(",") if length]
