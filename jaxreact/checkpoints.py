"""Checkpoints: the only module that touches Orbax.

Arrays are always restored to an abstract target (shapes, dtypes, shardings). Without one, Orbax
gives the keys of layer lists back as strings, and merging sorts "10" before "2": layers are
permuted silently once there are more than ten.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from orbax.checkpoint.options import MultiprocessingOptions

from jaxreact.errors import UserError
from jaxreact.files import read_json

Tree = Any
"""Nested dicts (and dataclasses) of arrays; as a target also of `jax.ShapeDtypeStruct`."""


def _is_news(record: logging.LogRecord) -> bool:
    """Neither of what was asked for, nor of an error that Orbax raises as well."""
    is_raised = record.exc_info is not None and "orbax" in record.pathname
    return not is_raised and not str(record.msg).startswith(_NO_NEWS)


_NO_NEWS = ("Given directory is read only", "Failed to json parse Metadata file")
"""The second: of a checkpoint that was cut off, which restoring it raises too."""


def _is_not_of_the_disk(record: logging.LogRecord) -> bool:
    """Orbax waits for the first array that cannot be written; asyncio tells of all the others."""
    error = record.exc_info and record.exc_info[1]
    return not (isinstance(error, ValueError) and _is_of_the_disk(error))


logging.getLogger("absl").addFilter(_is_news)
logging.getLogger("asyncio").addFilter(_is_not_of_the_disk)


class Checkpoints:
    """The numbered checkpoints in one directory, of which the newest `keep` stay.

    A save is complete or absent: Orbax writes beside and renames. Saving is asynchronous; `close`
    (or leaving the `with` block) waits for it. `read_only` neither creates nor cleans anything: a
    run can be loaded while it is still being written.

    Of several processes all save and restore together, each its part of the arrays, unless it is
    `alone`: then this one saves and restores whole arrays, and the others need not know.
    """

    def __init__(
        self,
        directory: str | Path,
        keep: int = 1,
        *,
        read_only: bool = False,
        alone: bool = False,
    ):
        self.directory = Path(directory).absolute()
        self.alone = alone
        if not read_only:
            self.directory.mkdir(parents=True, exist_ok=True)
        options = ocp.CheckpointManagerOptions(
            max_to_keep=None if read_only else keep,
            save_interval_steps=0 if read_only else 1,
            create=False,
            cleanup_tmp_directories=not read_only,
            read_only=read_only,
            multiprocessing_options=_processes(self.directory.name, alone),
        )
        self.manager = ocp.CheckpointManager(self.directory, options=options)

    def save(self, step: int, arrays: Tree, record: dict[str, Any] | None = None) -> None:
        """Saves `arrays` and `record` (anything JSON can say) as checkpoint `step`.

        A checkpoint that exists already stays as it is: a resumed run that comes to it again has
        computed the same. Arrays are copied before this returns, and written after. Raises
        UserError, like `wait` and `close`, where this or an earlier one cannot be written.
        """
        if self.alone:
            arrays = jax.tree.map(
                np.asarray, arrays
            )  # JAX arrays are everybody's business to Orbax
        with self._writing():
            self.manager.save(
                step,
                args=ocp.args.Composite(
                    arrays=ocp.args.StandardSave(arrays), record=ocp.args.JsonSave(record or {})
                ),
            )

    def latest(self) -> int | None:
        """Number of the newest complete checkpoint."""
        return self.manager.latest_step()

    def arrays(self) -> int | None:
        """How many arrays the newest checkpoint holds, read without them; None where it does not
        say, since it is damaged or not there."""
        path = self.directory / str(self.latest()) / "arrays" / "_METADATA"
        try:
            return len(read_json(path, "cannot be read")["tree_metadata"])
        except (UserError, KeyError, TypeError):
            return None

    def restore(self, abstract: Tree, step: int | None = None) -> tuple[Tree, dict[str, Any]]:
        """Arrays and record of a checkpoint (the newest by default), as `abstract` describes them.

        Raises UserError where there is none, or where a shape or a name differs from `abstract`.
        """
        step = self.latest() if step is None else step
        if step is None:
            raise UserError(f"{self.directory}: no complete checkpoint here")
        try:
            with _quietly():
                restored = self.manager.restore(
                    step,
                    args=ocp.args.Composite(
                        arrays=ocp.args.StandardRestore(_with_shardings(abstract)),
                        record=ocp.args.JsonRestore(),
                    ),
                )
        except (ValueError, KeyError, TypeError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            raise UserError(
                f"{self.directory / str(step)}: does not fit its config.json: {reason}"
            ) from error
        except Exception as error:
            if type(error) is not Exception:
                raise
            # What Orbax raises where a file of arrays is missing or cut off.
            raise UserError(
                f"{self.directory / str(step)}: damaged or not whole; copy the run again"
            ) from error
        return restored["arrays"], restored["record"]

    def wait(self) -> None:
        """Returns when everything saved so far is on disk."""
        with self._writing():
            self.manager.wait_until_finished()

    def close(self) -> None:
        with self._writing():
            self.manager.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Says in one line why a checkpoint could not be written."""
        try:
            yield
        except (OSError, ValueError) as error:
            if not _is_of_the_disk(error):
                raise
            raise UserError(
                f"{self.directory}: a checkpoint could not be written ({_reason(error)}); the one"
                " before it is kept: make room and go on with --resume"
            ) from error

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what Orbax logs of a checkpoint that cannot be read, many lines of it."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _processes(name: str, alone: bool) -> MultiprocessingOptions:
    """Which processes meet at Orbax's barriers, and what these are called.

    Checkpoints of two directories are written at once, in the background. Were their barriers
    called alike, one process's for the first could meet another's for the second, and both wait for
    ever.
    """
    if not alone:
        return MultiprocessingOptions(barrier_sync_key_prefix=name)
    number = jax.process_index()
    return MultiprocessingOptions(
        primary_host=number,
        active_processes={number},
        barrier_sync_key_prefix=f"{name}_alone{number}",
    )


def _is_of_the_disk(error: BaseException) -> bool:
    """Whether an error of writing is the disk's fault; TensorStore tells it in words."""
    if isinstance(error, OSError):
        return True
    return any(words in str(error) for words in _DISK_WORDS)


_DISK_WORDS = ("RESOURCE_EXHAUSTED", "No space left", "Disk quota", "File too large", "PERMISSION")


def _reason(error: BaseException) -> str:
    text = str(error)
    known = [words for words in _DISK_WORDS[1:] if words in text]
    return known[0].lower() if known else text.strip().splitlines()[0][:200]


def _with_shardings(abstract: Tree) -> Tree:
    """`abstract` with a sharding on every leaf; those without one go to the first device."""
    device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])

    def place(leaf: Any) -> jax.ShapeDtypeStruct:
        sharding = getattr(leaf, "sharding", None) or device
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding)

    return jax.tree.map(place, abstract)
