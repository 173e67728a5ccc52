"""What users see of errors and doubts; `commands.run_command` shows each as one line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the `OSError`s of a disk that is full."""


class UserError(Exception):
    """Something the user gave cannot be used; the message is one line that says what to do.

    Raised at the boundary (a file, a configuration, a checkpoint, an argument), never for a
    programming mistake. It names the file or key concerned.
    """


class NotFiniteError(UserError):
    """Values of a file that are infinite or no numbers."""


class ShapeError(UserError):
    """Numbers of a file that do not form the table expected."""


class Remark(UserWarning):
    """Something of a file was repaired or is doubtful; the message is one line that names it."""


class Stopped(Exception):
    """The program was asked to end early and has done so in good order; the message says where."""


@contextmanager
def filling(path: str | Path) -> Iterator[None]:
    """Gives an `OSError` of a full disk, which often names no file, the path it is about."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM or error.filename:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
