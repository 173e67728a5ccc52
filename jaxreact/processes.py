"""Work on many items in several processes, which end with the one that started them."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int | None = None
) -> Generator[Result, None, None]:
    """Results of `function` in the order of `items`; one process per core unless `workers` says.

    One worker, or one item, is dealt with in this process. An exception ends all. The function and
    the items must be picklable; close the generator to stop early.
    """
    workers = min(workers or os.cpu_count() or 1, len(items))
    if workers <= 1:
        yield from map(function, items)
        return
    # Spawned, since a fork of a process that runs jax's threads may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_begin)
    try:
        yield from pool.map(function, items, chunksize=1)
    finally:  # after a failure, or Ctrl-C, nobody needs the rest
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Ctrl-C reaches every process of a terminal, and a worker that it stops within the pool's
    queues would leave them locked: so only the first process reacts. If that one is killed, its
    workers would wait for more work for ever: so each looks after it. Some draw with JAX, which
    would take most of a GPU's memory in each: so they compute on the CPU."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
