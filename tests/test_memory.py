"""Memory that a process keeps for the next call of its programs."""

import os
import subprocess
import sys

import pytest

CALLS = """
import resource, sys
warm_up, calls = map(int, sys.argv[1:])
from jaxreact.commands import keep_memory
print(keep_memory())
import jax, jax.numpy as jnp
program = jax.jit(lambda x: jnp.cumsum(x, 0)[::-1].sum())
x = jnp.ones((10, 1 << 20))  # 40 MiB, and as much for what is in between
for _ in range(warm_up):
    program(x).block_until_ready()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(calls):
    program(x).block_until_ready()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) // calls)
"""
KEPT = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}


def run(warm_up: int, calls: int, **variables: str) -> tuple[bool, int]:
    """Whether memory is kept, and how many pages are given to a program at each call."""
    done = subprocess.run(
        [sys.executable, "-c", CALLS, str(warm_up), str(calls)],
        env=KEPT | {"JAX_PLATFORMS": "cpu"} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    kept, pages = done.stdout.split()
    return kept == "True", int(pages)


def test_a_program_finds_its_memory_again():
    """Unless somebody has chosen another way: then the system clears every page anew."""
    # What is asked for in between divides what was freed, until all has its place.
    kept, pages = run(40, 40)
    if not kept:
        pytest.skip("another C library than glibc, or an allocator of one's own")
    chosen, cleared = run(2, 4, MALLOC_PERTURB_="0")
    assert not chosen
    assert cleared > 10_000  # 40 MiB
    assert pages < cleared / 3  # where it was counted: at most one call of the forty
