"""What every command does around its own work: its errors become one line, the programs that it
compiles are kept for its next start, and its memory for the next call of them."""

import argparse
import ctypes
import errno
import hashlib
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache
from llvmlite import binding

from jaxreact.errors import NO_ROOM, REFUSED, Remark, Stopped, UserError

OPTION, OFF = "--compilation-cache", "off"
MAX_BYTES = 2 * 1024**3
"""The programs used least recently go where more than this are kept."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Numbers of glibc's `mallopt` (malloc.h)."""
_LARGEST = 2**31 - 1
_OTHER_ALLOCATORS = ("MALLOC_", "GLIBC_TUNABLES", "LD_PRELOAD")
"""Beginnings of variables by which somebody has chosen how memory is given."""

_HELP = f"""
every command also takes
  {OPTION} DIR|{OFF}
      Where compiled programs are kept for the next start, 2 GiB of them at most. By default the
      variable JAX_COMPILATION_CACHE_DIR, or jaxreact/programs in the user's cache folder;
      JAX_ENABLE_COMPILATION_CACHE=0 keeps none."""


def run_command(main: Callable[[], None], *, keep: bool = True) -> None:
    """Runs a command-line `main`: a `UserError` becomes one line on stderr and exit status 1.

    So does a full disk, and a path that may not be written. `Stopped` becomes a line too, but is a
    success, and so does a `Remark`, which stops nothing. The option
    `--compilation-cache` is taken from the command line before `main` reads it; without `keep`, for
    what measures starts, there is no such option and nothing is kept.
    """
    asked_for_help = {"-h", "--help"} & set(sys.argv)
    sys.unraisablehook = partial(_show_unraisable, sys.unraisablehook)  # to the end of the process
    keep_memory()
    try:
        keep_programs(_take_option() if keep else OFF)
        with warnings.catch_warnings():
            warnings.showwarning = partial(_show_warning, warnings.showwarning, set())
            main()
    except Stopped as stop:
        print(stop, file=sys.stderr)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        if error.errno in NO_ROOM:
            said = f"{error.filename or 'disk'}: {error.strerror}; make room"
        elif error.errno in REFUSED and error.filename:
            said = f"{error.filename}: {error.strerror}; allow it, or choose another place"
        else:
            raise
        print(f"error: {said}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
    except SystemExit as end:
        if keep and asked_for_help and not end.code:
            print(_HELP)
        raise


def _show_warning(
    otherwise: Callable[..., None],
    said: set[str],
    message: Warning | str,
    category: type[Warning],
    *where: Any,
) -> None:
    """As `warnings.showwarning`, but a `Remark` is one line without the place in our code, and said
    once: Python forgets what it has shown with every `warnings.catch_warnings`."""
    if issubclass(category, Remark):
        if str(message) not in said:
            print(f"warning: {message}", file=sys.stderr)
        said.add(str(message))
    else:
        otherwise(message, category, *where)


def _show_unraisable(otherwise: Callable[[Any], None], error: Any) -> None:
    """As `sys.unraisablehook`, but without what TensorStore's threads say after a failed save.

    They still report to the event loop that the failure has closed, once for each array, and their
    tracebacks would hide the one line that tells of the failure.
    """
    if str(error.exc_value) != "Event loop is closed":
        otherwise(error)


def _take_option() -> str | None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(OPTION)
    found, sys.argv[1:] = parser.parse_known_args(sys.argv[1:])
    return found.compilation_cache


def keep_programs(where: str | None = None) -> Path | None:
    """Has JAX keep what it compiles from now on; returns the folder, None where nothing is kept.

    `where`: a folder, "off", or None for the user's choice in JAX's own variables, else
    `jaxreact/programs` in the user's cache folder. Raises `UserError` where a folder that was asked
    for cannot be made; one that was not is done without.
    """
    if where == OFF or (where is None and not jax.config.values["jax_enable_compilation_cache"]):
        jax.config.update("jax_enable_compilation_cache", False)
        return None
    asked = where or jax.config.values["jax_compilation_cache_dir"]
    # A program holds instructions of the processor that it was compiled on, which JAX's key for it
    # does not tell, and home folders are shared by unlike machines.
    folder = Path(asked or user_cache() / "jaxreact" / "programs") / _processor()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    except OSError as error:
        if asked is None:
            return None
        raise UserError(
            f"{asked}: no folder to keep programs in ({error.strerror}); give another "
            f"{OPTION}, or {OPTION} {OFF}"
        ) from None
    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", MAX_BYTES)
    # A start compiles hundreds of small programs beside the few large ones.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    compilation_cache.reset_cache()  # what was compiled before has decided that there is none
    return folder


def keep_memory() -> bool:
    """Has this process keep the memory that it frees, for its next use; returns whether it does.

    XLA asks for a program's memory at every call and gives it back after it. glibc maps what is
    larger than 32 MiB, and what other threads than the first ask for beyond 64 MiB, anew each time,
    and the system clears it page by page: up to a third of the processor time of a training
    (benchmarks/memory.py). To be called before JAX computes. Memory is as the system gives it
    elsewhere than with glibc, and where a variable of the environment says how (`MALLOC_ARENA_MAX`
    and the like, `GLIBC_TUNABLES`, or a preloaded allocator).
    """
    if sys.platform != "linux" or any(name.startswith(_OTHER_ALLOCATORS) for name in os.environ):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    options = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _LARGEST))
    return all(mallopt(option, value) == 1 for option, value in options)


def user_cache() -> Path:
    """The user's folder for what can be had again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _processor() -> str:
    """A name for this kind of processor, by what its instructions are."""
    features = binding.get_host_cpu_features().flatten()
    name = f"{binding.get_host_cpu_name()} {features}"
    return hashlib.sha256(name.encode()).hexdigest()[:16]
