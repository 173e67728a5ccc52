"""Reads a pickle as data: nothing is imported, nothing outside an explicit table is called.

A pickle is a program for a small stack machine, and `pickle.load` runs it: any importable function
can be called with any arguments. `load` is an interpreter of that machine that cannot import. A
global's name is looked up in a table that the caller gives; a name that is not there ends the
reading with `Refused`. Decoding the operations is left to the standard library's `pickletools`,
which checks every length against what is left of the file.
"""

import io
import mmap
import pickletools
from collections.abc import Callable, Mapping, Sized
from typing import IO, Any, cast


class Refused(Exception):
    """The pickle wants a global that is not in the table; the message is its dotted name."""


class Malformed(Exception):
    """The pickle is truncated, damaged, or uses operations that plain data does not need."""


class Call:
    """A global that may be called: with positional arguments, and only this function of ours."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]):
        self.function = function


class Attributes(dict):
    """An object of which only the attributes are kept."""

    def build(self, state: Any) -> None:
        """Takes the attributes as pickle hands them over."""
        if not isinstance(state, dict):  # pairs would be hashed, whatever they are
            raise Malformed("attributes that are no dictionary")
        self.update(state)


_MARK = object()
_SPARE = 1 << 20
"""Bytes and elements."""

_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
    "MARK": lambda: _MARK,
}
_LITERALS = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
        "BYTEARRAY8",
        *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    }
)


def load(
    stream: IO[bytes] | io.BufferedIOBase | mmap.mmap,
    table: Mapping[str, Any],
    persistent: Callable[[Any], Any] | None = None,
) -> Any:
    """The object that the pickle at the stream's position describes; leaves the stream behind it.

    `table` maps the dotted names of permitted globals to a `Call` or to a value that stands for
    them; `persistent` turns a persistent id into a value. Raises Refused or Malformed only.
    """
    machine, begin = _Machine(table, persistent), stream.tell()
    try:
        for operation, argument, place in pickletools.genops(cast(IO[bytes], stream)):
            machine.read = (place or begin) - begin
            if operation.name == "STOP":
                return machine.stack.pop()
            machine.step(operation.name, argument)
    except (Refused, Malformed):
        raise
    except (
        *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError),
        RecursionError,
    ) as error:
        raise Malformed(str(error) or type(error).__name__) from error
    raise Malformed("it does not end")


class _Machine:
    """The stack machine of `pickle`, as far as plain data needs it."""

    def __init__(self, table: Mapping[str, Any], persistent: Callable[[Any], Any] | None):
        self.table, self.persistent = table, persistent
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.read, self.made = 0, 0
        """Bytes of the pickle, and what functions of ours have made of them."""

    def step(self, name: str, argument: Any) -> None:
        """Carries out one operation."""
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif (method := getattr(self, f"op_{name.lower()}", None)) is not None:
            method(argument)
        elif name not in ("PROTO", "FRAME"):
            raise Malformed(f"operation {name} is not plain data")

    def pop_to_mark(self) -> list[Any]:
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def lookup(self, name: str) -> None:
        if name not in self.table:
            raise Refused((name if name.isprintable() else ascii(name))[:200])
        self.stack.append(self.table[name])

    def call(self, function: Any, arguments: Any) -> None:
        if not isinstance(function, Call) or not isinstance(arguments, tuple):
            raise Malformed("it calls something that is not a function")
        result = function.function(*arguments)
        self.count(result)
        self.stack.append(result)

    def count(self, made: Any) -> None:
        """Ends a pickle that has functions copy the same text or list again and again: what is made
        has no more bytes or elements than the pickle so far, and some to spare."""
        self.made += getattr(made, "copied", 0) or (len(made) if isinstance(made, Sized) else 0)
        if self.made > self.read + _SPARE:
            raise Malformed("it makes more of its data than it holds")

    # Globals and calls

    def op_global(self, argument: str) -> None:
        self.lookup(argument.replace(" ", "."))

    def op_inst(self, argument: str) -> None:
        arguments = tuple(self.pop_to_mark())
        self.lookup(argument.replace(" ", "."))
        self.call(self.stack.pop(), arguments)

    def op_stack_global(self, _: None) -> None:
        name, module = (_expect(self.stack.pop(), str) for _ in range(2))
        self.lookup(f"{module}.{name}")

    def op_reduce(self, _: None) -> None:
        arguments = self.stack.pop()
        self.call(self.stack.pop(), arguments)

    op_newobj = op_reduce

    def op_build(self, _: None) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if hasattr(target, "build"):
            target.build(state)
            self.count(target)
        elif not isinstance(target, dict):  # of an OrderedDict, the attributes are dropped
            raise Malformed(f"it sets attributes of a {type(target).__name__}")

    def op_binpersid(self, _: None) -> None:
        if self.persistent is None:
            raise Malformed("a persistent id where none belongs")
        self.stack.append(self.persistent(self.stack.pop()))

    # Containers

    def op_tuple(self, _: None) -> None:
        self.stack.append(tuple(self.pop_to_mark()))

    def op_tuple1(self, _: None) -> None:
        self.stack[-1:] = [tuple(self.stack[-1:])]

    def op_tuple2(self, _: None) -> None:
        self.stack[-2:] = [tuple(self.stack[-2:])]

    def op_tuple3(self, _: None) -> None:
        self.stack[-3:] = [tuple(self.stack[-3:])]

    def op_list(self, _: None) -> None:
        self.stack.append(self.pop_to_mark())

    def op_append(self, _: None) -> None:
        item = self.stack.pop()
        _expect(self.stack[-1], list).append(item)

    def op_appends(self, _: None) -> None:
        items = self.pop_to_mark()
        _expect(self.stack[-1], list).extend(items)

    def op_dict(self, _: None) -> None:
        items = self.pop_to_mark()
        self.stack.append(dict(zip(map(simple, items[::2]), items[1::2], strict=True)))

    def op_setitem(self, _: None) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _expect(self.stack[-1], dict)[simple(key)] = value

    def op_setitems(self, _: None) -> None:
        items = self.pop_to_mark()
        pairs = zip(map(simple, items[::2]), items[1::2], strict=True)
        _expect(self.stack[-1], dict).update(pairs)

    def op_additems(self, _: None) -> None:
        items = self.pop_to_mark()
        _expect(self.stack[-1], set).update(map(simple, items))

    def op_frozenset(self, _: None) -> None:
        self.stack.append(frozenset(map(simple, self.pop_to_mark())))

    # Stack and memo

    def op_pop(self, _: None) -> None:
        self.stack.pop()

    def op_pop_mark(self, _: None) -> None:
        self.pop_to_mark()

    def op_dup(self, _: None) -> None:
        self.stack.append(self.stack[-1])

    def op_put(self, argument: int) -> None:
        self.memo[argument] = self.stack[-1]

    op_binput = op_long_binput = op_put

    def op_memoize(self, _: None) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def op_get(self, argument: int) -> None:
        self.stack.append(self.memo[argument])

    op_binget = op_long_binget = op_get


def simple(key: Any) -> Any:
    """`key` if it may be a dictionary's key or in a set: hashing deeply nested tuples overflows the
    interpreter's own stack."""
    if not isinstance(key, (str, bytes, int, float, type(None))):
        raise Malformed(f"a {type(key).__name__} as a key")
    return key


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise Malformed(f"a {kind.__name__} was expected, not a {type(value).__name__}")
    return value
