"""Plain values out of a YAML file that stands beside weights, and into one, without a YAML library.

Of one block of the file, such as `arch: args:`, keys with numbers, words and lists of them are
read. The rest of the file is not looked at; nothing in it is constructed.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxreact.errors import UserError, reading
from jaxreact.torch_files.names import shown

_KEY = re.compile(r"([A-Za-z_][\w.-]*):(?:\s+(.*))?")
_COMMENT = re.compile(r"(^|\s)#.*")
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_LOGICAL = {*_WORDS, "yes", "no", "on", "off", "y", "n"}
"""What YAML libraries take for something else than a word."""
_PLAIN_WORD = re.compile(r"[A-Za-z_./][\w./-]*")
_UNKNOWN = tuple("&*!|>{}%@`?,")
"""What begins a value that is more than a plain one."""


def read_block(path: str | Path, under: tuple[str, ...] = ()) -> dict[str, Any]:
    """The plain values of the mapping that stands under these keys; empty where there is none.

    Nested mappings are left out. Raises UserError where the file cannot be read, or the block holds
    anything but keys with plain values.
    """
    with reading(path, "not a readable YAML file"):
        lines = Path(path).read_text("utf-8-sig").splitlines()
    values: dict[str, Any] = {}
    open_keys: list[tuple[int, str]] = []  # indentation and name of what a line stands in
    for number, line in enumerate(lines, 1):
        text = _COMMENT.sub("", line)
        indent, text = len(text) - len(text.lstrip(" ")), text.strip()
        if text in ("", "---"):
            continue
        item = text == "-" or text.startswith("- ")
        while open_keys and open_keys[-1][0] >= indent + item:  # items may stand under their key
            open_keys.pop()
        where = tuple(name for _, name in open_keys)
        match = None if item else _KEY.fullmatch(text)
        if match:
            open_keys.append((indent, match[1]))
            if where == under:
                _add(values, match[1], _value(match[2] or "", path, number), path, number)
            elif where[:-1] == under:
                values.pop(where[-1], None)  # a mapping
        elif item and where[:-1] == under and where:
            _extend(values, where[-1], _value(text[1:].strip(), path, number), path, number)
        elif where == under or where[:-1] == under:
            raise _not_plain(path, number)
    return values


def block_text(values: Mapping[str, Any], indent: str = "") -> str:
    """Nested mappings of plain values as the text that `read_block` and YAML libraries read."""
    lines = ""
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines += f"{indent}{name}:\n{block_text(value, indent + '  ')}"
        else:
            lines += f"{indent}{name}: {_written(value)}\n"
    return lines


def _written(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_written, value))}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, str):
        if _PLAIN_WORD.fullmatch(value) and value.lower() not in _LOGICAL:
            return value
        return f"'{value}'" if "'" not in value else json.dumps(value, ensure_ascii=False)
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")  # without a point 1e-05 is a word


def _add(values: dict[str, Any], name: str, value: Any, path: str | Path, number: int) -> None:
    if name in values:
        raise UserError(f"{path}: line {number}: {shown(name)} is in it twice; leave one")
    values[name] = value


def _extend(values: dict[str, Any], name: str, item: Any, path: str | Path, number: int) -> None:
    before = values.get(name)
    if before is not None and not isinstance(before, list):
        raise _not_plain(path, number)
    values[name] = [*(before or []), item]


def _value(text: str, path: str | Path, number: int) -> Any:
    if text.startswith("["):
        if not text.endswith("]") or "[" in text[1:]:
            raise _not_plain(path, number)
        return [
            _value(part.strip(), path, number) for part in text[1:-1].split(",") if part.strip()
        ]
    if text[:1] in ("'", '"'):
        if len(text) < 2 or text[-1] != text[0] or text[0] in text[1:-1] or "\\" in text:
            raise _not_plain(path, number)
        return text[1:-1]
    if text.startswith(_UNKNOWN):
        raise _not_plain(path, number)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _not_plain(path: str | Path, number: int) -> UserError:
    return UserError(
        f"{path}: line {number} is more than a plain value; write numbers, words or lists of them"
    )
