"""What a run keeps while it trains: its best model and its last state."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import SingleDeviceSharding

from jaxreact.checkpoints import Checkpoints
from jaxreact.errors import UserError
from jaxreact.sharding import host
from jaxreact.training.state import TrainState, join
from jaxreact.variables import joined, one_by_one


@dataclass(frozen=True)
class ResumePoint:
    """Where a run stands, beside its state."""

    iterator: Any
    """State of the data iterator: the next batch is the one after those already used."""
    best: float = float("inf")
    """Lowest validation loss so far; the model that had it is kept."""


class Saver:
    """Saves `OUT/model/` (best) and `OUT/state/` (last) while training goes on.

    A state that knows of a best model must not be on disk before that model is: a run killed in
    between would never save it again. So after an improvement the state is copied on the device and
    saved when the model is complete, at the latest before the next state.

    Files hold layers one by one (`jaxreact.variables`).
    """

    def __init__(self, out: Path):
        self.models, self.states = Checkpoints(out / "model"), Checkpoints(out / "state")
        self._held: tuple[int, TrainState, ResumePoint] | None = None

    def save(
        self,
        step: int,
        state: TrainState,
        position: ResumePoint,
        scores: dict[str, float] | None = None,
    ) -> None:
        """Saves the last state and, given the `scores` of the best validation so far, the model.

        A state that exists already stays as it is.
        """
        self.release()
        if scores is None:
            self._write(step, _for_files(state), position)
        else:
            self.models.save(step, _for_files(join(state.params, state.statistics)), scores)
            self._held = step, _for_files(state), position

    def release(self) -> None:
        """Saves a held state, if there is one, after waiting for the model before it."""
        if self._held is not None:
            self.models.wait()
            self._write(*self._held)
            self._held = None

    def _write(self, step: int, state: TrainState, position: ResumePoint) -> None:
        record = {"iterator": _jsonable(position.iterator), "best": position.best}
        self.states.save(step, state, record)

    def restore(self, like: TrainState) -> tuple[TrainState, ResumePoint]:
        """The last state, placed as `like` is, and its position; UserError where there is none."""
        placed = jax.tree.map(lambda x: x.sharding, like)
        if jax.process_count() == 1:
            on_host = SingleDeviceSharding(host())
            separate, record = self.states.restore(
                _shapes(jax.eval_shape(one_by_one, like), on_host)
            )
            together = joined(jax.tree.map(np.asarray, separate), like, np.stack)
            return jax.device_put(together, placed), _position(record)
        separate, record = self.states.restore(_shapes(_separated(like)))
        state = jax.jit(lambda separate: joined(separate, like), out_shardings=placed)(separate)
        return state, _position(record)

    def finish(self) -> None:
        """Returns when everything is on disk."""
        self.release()
        self.models.wait()
        self.states.wait()

    def __enter__(self) -> "Saver":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.finish()
        except UserError:
            if kind is None:  # else there is an error already, and a disk that is full shows twice
                raise
        finally:
            self.models.close()
            self.states.close()


def _for_files(arrays: Any) -> Any:
    """Copies, in the form of files, that stay when a step consumes the state."""
    if jax.process_count() == 1:
        return one_by_one(jax.tree.map(np.array, arrays))  # on the host: nothing to be compiled
    return _separated(arrays)


@jax.jit
def _separated(arrays: Any) -> Any:
    """The same of arrays of which each process has a part."""
    return one_by_one(jax.tree.map(jnp.copy, arrays))


def _shapes(arrays: Any, sharding: Any = None) -> Any:
    """Shapes to restore to, placed as the arrays are or as is said."""
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding or x.sharding), arrays
    )


def _position(record: dict[str, Any]) -> ResumePoint:
    return ResumePoint(_iterator_state(record["iterator"]), record["best"])


def _jsonable(iterator: Any) -> Any:
    """A data iterator's state as JSON can hold it: bytes become text."""
    return {"bytes": iterator.decode()} if isinstance(iterator, bytes) else iterator


def _iterator_state(saved: Any) -> Any:
    if isinstance(saved, dict) and set(saved) == {"bytes"}:
        return saved["bytes"].encode()
    return saved
