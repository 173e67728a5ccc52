"""What users see of errors and doubts; `commands.run_command` shows each as one line."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of the `OSError`s of a disk that is full."""

REFUSED = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
)
"""Numbers of the `OSError`s of a path that may not be written, or cannot be one."""

_LONGEST = 200
"""Characters of a library's own words that a message quotes."""


class UserError(Exception):
    """Something the user gave cannot be used; the message is one line that says what to do.

    Raised at the boundary (a file, a configuration, a checkpoint, an argument), never for a
    programming mistake. It names the file or key concerned.
    """


class NotFiniteError(UserError):
    """Values of a file that are infinite or no numbers."""


class ArgumentError(UserError, ValueError):
    """A number that cannot be, of a command line or in a call: one line for the one, a ValueError
    for the other."""


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


@contextmanager
def reading(
    path: str | Path, problem: str, advice: str = "copy it again", *, of: str = "file"
) -> Iterator[None]:
    """The guard of every place where a file from outside is read: one line for whatever happens.

    Libraries raise what they like over damaged bytes: ValueError and EOFError, but also zlib.error,
    NotImplementedError, SyntaxError, RecursionError or MemoryError. All become a `UserError`
    `PATH: <problem> (<the library's first line>); <advice>`; of a missing file, `no such file`. A
    `UserError` passes as it is. Keep the block to the reading itself: it hides mistakes of ours
    too, but as the error's cause.
    """
    try:
        yield
    except (UserError, Stopped):
        raise
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise UserError(f"{path}: a folder; give the {of} in it") from error
    except PermissionError as error:
        raise UserError(f"{path}: may not be read; allow it (chmod)") from error
    except MemoryError as error:
        reason = "it promises more than fits the memory"
        raise UserError(f"{path}: {problem} ({reason}); {advice}") from error
    except Exception as error:
        raise UserError(f"{path}: {problem} ({reason_of(error)}); {advice}") from error


def check_seed(seed: int, option: str = "--seed") -> None:
    """Raises `ArgumentError` for what is no seed to every generator of random numbers."""
    if not 0 <= seed < 2**32:
        raise ArgumentError(f"{option} {seed} must be a whole number from 0 to {2**32 - 1}")


def reason_of(error: BaseException) -> str:
    """What an error says, on one line and not too long; its kind where it says nothing."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    lines = str(error).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    if isinstance(error, KeyError):  # whose text is the key alone
        text = f"no {text}"
    text = text if text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
