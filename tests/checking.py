"""Shapes and types of all of the package, checked in tests; imported before the package is.

The check stands around every function, by the option --jaxtyping-packages of pyproject.toml.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jaxtyping
import numba

_njit = numba.njit


def _njit_unchecked(*given: Any, **options: Any) -> Any:
    """`numba.njit` of what a check stands around: it compiles bytecode, and cannot the check's."""
    if given and callable(given[0]):
        return _njit(inspect.unwrap(given[0]), *given[1:], **options)
    compiled: Callable[..., Any] = _njit(*given, **options)
    return lambda function: compiled(inspect.unwrap(function))


def leave_compiled_functions_unchecked() -> None:
    """Has an effect on modules that import numba's decorator from now on."""
    numba.njit = _njit_unchecked


@contextmanager
def unchecked() -> Iterator[None]:
    """While open, arguments may be what annotations forbid: stand-ins, for one."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)
