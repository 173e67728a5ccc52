"""Memory of this process."""

import ctypes


def give_back_memory() -> None:
    """Hands memory that was freed back to the system, where the C library keeps it (glibc).

    It keeps whatever was not freed last: a gigabyte after a model of the released size was made.
    """
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # no glibc
        return
