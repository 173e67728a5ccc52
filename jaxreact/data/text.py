"""Text files from outside: pair lists, indices, emotion tables, whatever program wrote them.

Spreadsheets save them as UTF-8 with a byte order mark, as UTF-16 with tabs ("Unicode text"), or
with semicolons; the first two say so themselves, and what separates the fields is seen from the
first line.
"""

import codecs
import csv
import io
from pathlib import Path

from jaxreact.errors import UserError, reading

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # begins as UTF-16's does: looked for before it
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SEPARATORS = "\t;"
_AS_UTF8 = "save it as UTF-8 (in Excel: CSV UTF-8)"


def read_text(path: Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 or UTF-32 with its mark; lines end by "\\n".

    Raises `UserError` for any other encoding, naming the line, since which one it is cannot be
    told and a wrong guess would give other file names.
    """
    with reading(path, "cannot be read"):
        content = path.read_bytes()
    encoding = next((code for mark, code in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise UserError(f"{path}: cut off or damaged {encoding} text; {_AS_UTF8}") from None
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}: line {line} is not UTF-8 but perhaps Latin-1 or Windows-1252; {_AS_UTF8}"
        ) from None
    if "\0" in text:
        raise UserError(f"{path}: no text, or UTF-16 without its mark; {_AS_UTF8}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def separator_of(line: str) -> str:
    """What separates the fields of a line: tabs or else semicolons where there are any, or commas.

    Commas last: beside semicolons they are decimal ones.
    """
    return next((mark for mark in _SEPARATORS if mark in line.rstrip()), ",")


def read_rows(path: Path) -> list[list[str]]:
    """The rows of a table in text, as `read_numbered_rows` has them."""
    return [row for _, row in read_numbered_rows(path)]


def read_numbered_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Each row of a table in text, and the line of the file that it ends in, from 1.

    Empty lines are left out, and spaces around fields, which are separated as in the first line
    that is not empty: `separator_of`. Raises `UserError` as `read_text` does, and for quotes that
    do not close.
    """
    text = read_text(path)
    first = next((line for line in text.split("\n") if line.strip()), "")
    with reading(path, "not a table in text"):
        rows = csv.reader(io.StringIO(text), delimiter=separator_of(first), strict=True)
        return [
            (rows.line_num, [field.strip() for field in row])
            for row in rows
            if any(map(str.strip, row))
        ]
