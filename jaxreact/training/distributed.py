"""Several processes that train together, on one machine or many.

Each runs the same command. They find each other by flags or by what a scheduler says; nothing may
ask for devices before `join_processes` has been called.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxreact.errors import Stopped, UserError

DEFAULT_PORT = 8476


@dataclass(frozen=True)
class DistributedConfig:
    """Where the other processes are; nothing to say for a single one, nor under `srun`."""

    coordinator: str | None = None
    """HOST:PORT of process 0, as the others reach it."""
    processes: int | None = None
    """How many processes train together."""
    process: int | None = None
    """Number of this one, from 0."""


@dataclass(frozen=True)
class Group:
    """The processes of a run, seen from one of them."""

    coordinator: str
    processes: int
    process: int


def find_group(config: DistributedConfig, environment: Mapping[str, str]) -> Group | None:
    """The group that flags or a scheduler's environment describe; None for a single process.

    Read in this order: the flags; the variables JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and
    JAX_PROCESS_ID; SLURM's variables of a job step; an indexed job of Kubernetes or GKE, whose
    manifest names the other two (JOB_COMPLETION_INDEX is set by the cluster). Raises UserError
    where they contradict themselves or say only half of it.
    """
    given = (config.coordinator, config.processes, config.process)
    if any(value is not None for value in given):
        return _group(*given, "--distributed.coordinator, --distributed.processes and .process")
    if "JAX_COORDINATOR_ADDRESS" in environment:
        names = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES")
        number = "JAX_PROCESS_ID" if "JAX_PROCESS_ID" in environment else "JOB_COMPLETION_INDEX"
        values = [environment.get(name) for name in (*names, number)]
        return _group(
            values[0], _number(values[1]), _number(values[2]), ", ".join((*names, number))
        )
    if int(environment.get("SLURM_STEP_NUM_TASKS", "1")) > 1:  # a step is what srun starts
        host = _first_host(environment["SLURM_STEP_NODELIST"])
        # Jobs that share a machine must not share a port.
        port = environment.get("JAX_COORDINATOR_PORT") or str(
            61440 + int(environment["SLURM_JOB_ID"]) % 4096
        )
        count, number = environment["SLURM_STEP_NUM_TASKS"], environment["SLURM_PROCID"]
        return _group(f"{host}:{port}", int(count), int(number), "SLURM's variables")
    return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _group(
    coordinator: str | None, processes: int | None, process: int | None, source: str
) -> Group:
    if coordinator is None or processes is None or process is None:
        raise UserError(f"{source}: all three are needed, or none of them")
    if not 0 <= process < processes:
        raise UserError(f"{source}: process {process} is not one of {processes}, counted from 0")
    if ":" not in coordinator:
        coordinator = f"{coordinator}:{DEFAULT_PORT}"
    return Group(coordinator, processes, process)


def _first_host(nodes: str) -> str:
    """The first of SLURM's compressed list: node[001-004,009],other -> node001."""
    head, bracket, rest = nodes.partition("[")
    if not bracket or "," in head:
        return nodes.split(",")[0]
    first = rest.split("]")[0].replace("-", ",").split(",")[0]
    return head + first


def join_processes(config: DistributedConfig) -> None:
    """Joins the other processes, if there are any; call it before anything else of JAX."""
    group = find_group(config, os.environ)
    if group is None or jax.distributed.is_initialized():
        return
    if group.process:
        # Of many equal lines one is enough; errors are told by each process.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        jax.distributed.initialize(group.coordinator, group.processes, group.process)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"process {group.process} of {group.processes} did not find the others at"
            f" {group.coordinator}: {reason}"
        ) from error


@contextmanager
def failing_at_once() -> Iterator[None]:
    """Around the work of one of several processes: its error ends it without a farewell.

    An orderly exit would wait for the others, which wait for this one in their next step.
    """
    try:
        yield
    except Stopped:
        raise
    except BaseException as error:
        if jax.process_count() == 1:
            raise
        if isinstance(error, UserError):
            print(f"error: {error}", file=sys.stderr)
        else:
            traceback.print_exc()
        sys.stderr.flush()
        sys.stdout.flush()
        os._exit(1)


def is_first() -> bool:
    """Whether this process is the one that writes files and speaks."""
    return jax.process_index() == 0


def wait_for_all(name: str) -> None:
    """Returns when every process has come to the point called `name`."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def all_of_them(value: bool) -> bool:
    """Whether it holds in every process."""
    if jax.process_count() == 1:
        return value
    return bool(np.all(multihost_utils.process_allgather(np.array(value))))
