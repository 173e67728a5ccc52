"""How names and numbers of things out of a file may stand in a line of text."""

from collections.abc import Iterable

_LONGEST = 120


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
