"""Keeping recently read arrays in memory, up to a number of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np


class ArrayCache:
    """The most recently used arrays of this process, at most `limit` bytes of them.

    Safe for the reader threads of a data pipeline. A pickled cache arrives empty, so that worker
    processes do not receive each other's arrays. The arrays are shared: they are made read-only.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._clear()

    def _clear(self) -> None:
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __getstate__(self) -> int:
        return self._limit

    def __setstate__(self, limit: int) -> None:
        self._limit = limit
        self._clear()

    @property
    def nbytes(self) -> int:
        """Bytes held now."""
        return self._bytes

    def get(self, key: Hashable, load: Callable[[], np.ndarray]) -> np.ndarray:
        """The array under `key`, from memory or by calling `load`."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]
        array = load()  # outside the lock: two threads may read a file twice, none waits for a disk
        array.flags.writeable = False
        with self._lock:
            if key not in self._arrays and array.nbytes <= self._limit:
                self._arrays[key] = array
                self._bytes += array.nbytes
                while self._bytes > self._limit:
                    self._bytes -= self._arrays.popitem(last=False)[1].nbytes
        return array
