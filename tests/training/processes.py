"""Training scripts as real processes, as users and schedulers start, stop and kill them."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

ROOT = Path(__file__).parents[2]


def start(script: str, *arguments: object, cache: Path | None = None) -> subprocess.Popen[str]:
    """`python SCRIPT ARGUMENTS` in the background; `cache` keeps what JAX compiles."""
    return _start(str(ROOT / script), *arguments, cache=cache)


def start_stage(stage: str, *arguments: object, cache: Path) -> subprocess.Popen[str]:
    """`python -m jaxreact.train STAGE debug ARGUMENTS` likewise."""
    return _start("-m", "jaxreact.train", stage, "debug", *arguments, cache=cache)


def _start(*words: object, cache: Path | None) -> subprocess.Popen[str]:
    environment = dict(os.environ)
    if cache is not None:
        environment["JAX_COMPILATION_CACHE_DIR"] = str(cache)
        environment["JAX_ENABLE_COMPILATION_CACHE"] = "1"
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], seconds: float = 900) -> tuple[str, str]:
    """Output and errors of a process that must end with status 0."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err[-3000:]
    return out, err


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("localhost", 0))
        return server.getsockname()[1]


def losses(run: Path, tag: str = "training/loss") -> dict[int, float]:
    """What a run has logged, by step; of a step that was run twice the later value."""
    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0})
    return {event.step: event.value for event in events.Reload().Scalars(tag)}


def newest_state(run: Path) -> dict[str, np.ndarray]:
    """Raw arrays of a run's last state by path; no target, since only equality matters here."""
    return newest_arrays(run / "state")


def newest_arrays(folder: Path) -> dict[str, np.ndarray]:
    """The same of the last checkpoint in a folder."""
    steps = [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
    reader = ocp.PyTreeCheckpointer()
    path = folder / str(max(steps)) / "arrays"
    saved: Any = reader.metadata(path).item_metadata
    as_numpy = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), saved.tree)
    restored = reader.restore(path, restore_args=as_numpy)  # also what several processes have saved
    leaves = jax.tree_util.tree_leaves_with_path(restored)
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in leaves}


def assert_same_state(one: Path, other: Path, what: str = "state") -> None:
    """Bit for bit."""
    a, b = newest_arrays(one / what), newest_arrays(other / what)
    assert set(a) == set(b)
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)


def assert_as_uninterrupted(out: Path, whole: Path) -> None:
    """That a resumed run has the losses, the last state and the best model of another."""
    for tag in ("training/loss", "validation/loss"):
        assert losses(out, tag) == losses(whole, tag)
    for what in ("state", "model"):
        assert_same_state(out, whole, what)
        assert saved_steps(out, what) == saved_steps(whole, what)


def saved_steps(run: Path, what: str = "state") -> list[int]:
    """The steps of which a run holds a whole checkpoint."""
    return [int(path.name) for path in (run / what).glob("*") if path.name.isdecimal()]
