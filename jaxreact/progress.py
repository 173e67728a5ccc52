"""A progress bar over named steps, for commands whose work is a handful of long ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def progress(steps: int) -> Iterator[Callable[[str], None]]:
    """Yields a function that names the step which begins; shown if stderr is a terminal."""
    with tqdm(total=steps, disable=None, unit="step", leave=False) as bar:

        def step(name: str) -> None:
            bar.set_description(name)
            bar.update()

        yield step
