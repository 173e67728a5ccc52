"""The one exception that users see, and the wrapper that shows it as one line."""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class UserError(Exception):
    """Something the user gave cannot be used; the message is one line that says what to do.

    Raised at the boundary (a file, a configuration, a checkpoint, an argument), never for a
    programming mistake. It names the file or key concerned.
    """


class NotFiniteError(UserError):
    """Values of a file that are infinite or no numbers."""


class ShapeError(UserError):
    """Numbers of a file that do not form the table expected."""


class Stopped(Exception):
    """The program was asked to end early and has done so in good order; the message says where."""


@contextmanager
def filling(path: str | Path) -> Iterator[None]:
    """Gives an `OSError` of a full disk, which often names no file, the path it is about."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM or error.filename:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def run_command(main: Callable[[], None]) -> None:
    """Runs a command-line `main`: a `UserError` becomes one line on stderr and exit status 1.

    So does a full disk. `Stopped` becomes a line too, but is a success.
    """
    try:
        main()
    except Stopped as stop:
        print(stop, file=sys.stderr)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        print(f"error: {error.filename or 'disk'}: {error.strerror}; make room", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
