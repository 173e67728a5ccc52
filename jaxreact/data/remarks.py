"""What is said of many files at once: taken down while they are read, and summed up."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from jaxreact.errors import Remark


@contextmanager
def taken_down() -> Iterator[list[str]]:
    """Yields a list that holds every `Remark` of the block after it, none of which is shown.

    Not for several threads at once, as `warnings.catch_warnings` is not.
    """
    remarks: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", Remark)
        try:
            yield remarks
        finally:
            remarks += [str(each.message) for each in caught if issubclass(each.category, Remark)]
    for each in caught:
        if not issubclass(each.category, Remark):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def show_first(remarks: list[str]) -> None:
    """Shows the first remark, and says how many more there are and what names them."""
    if not remarks:
        return
    more = f"; {len(remarks) - 1} more remarks: `python -m jaxreact.data.prepare --check-only`"
    warnings.warn(remarks[0] + (more if remarks[1:] else ""), Remark, stacklevel=3)
