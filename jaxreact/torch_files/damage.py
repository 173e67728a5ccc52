"""How files from elsewhere fail, and what of them may stand in a line of text."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable

UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,  # UnicodeDecodeError too
    EOFError,
    RuntimeError,  # a zip that is encrypted (NotImplementedError: in a way that zipfile lacks), and
    # RecursionError
    OverflowError,
    SyntaxError,
    TypeError,
    LookupError,
    MemoryError,  # of a size that no file has
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What the readers of NumPy, zipfile, json and struct raise for files that are damaged or were
never of that kind: more than they document. To be caught around the reading alone."""

_LONGEST = 120


def reason(error: BaseException) -> str:
    """What an exception says, as one short line."""
    said = " ".join(str(error).split())
    return shown(said, 2 * _LONGEST) if said else type(error).__name__


def shown(name: object, longest: int = _LONGEST) -> str:
    """A name out of a file, as it may stand in a line: printable, and not too long."""
    text = name if isinstance(name, str) else ascii(name)
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= longest else text[:longest] + "..."


def counted(number: int, what: str) -> str:
    """A number of things, in words: 1 tensor, 2 tensors."""
    return f"{number} {what}{'s' * (number != 1)}"


def listed(names: Iterable[object], most: int = 3) -> str:
    """The first of some names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more
