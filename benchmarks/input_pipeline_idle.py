"""How much of a training loop waits for data; a part of `benchmarks/input_pipeline.py`.

    python benchmarks/input_pipeline_idle.py DATA WORKERS WHERE SECONDS

The loop takes the predictor's batches and does SECONDS of work with each: matrix products on all
cores (WHERE is `here`), or nothing but waiting, as for an accelerator (`elsewhere`). Each step
is waited for before the next batch is asked for, so what reading could overlap is not hidden.
Prints a line of JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from input_pipeline_ours import batches

from jaxreact.data.conversations import open_conversations

STEPS = 40


@jax.jit
def _work(matrix: jax.Array, times: jax.Array, batch: dict[str, jax.Array]) -> jax.Array:
    start = matrix + sum(jnp.mean(value) for value in batch.values()) * 1e-9
    return jax.lax.fori_loop(0, times, lambda _, x: jnp.tanh(x @ matrix), start)


def processor_step(seconds: float, batch: dict[str, np.ndarray]) -> Callable[..., object]:
    """A step that takes so long while nothing else is done."""
    matrix = jnp.full((1024, 1024), 1e-3)
    times = 1
    for _ in range(4):  # the first guess compiles
        began = time.perf_counter()
        _work(matrix, jnp.asarray(times), batch).block_until_ready()
        took = time.perf_counter() - began
        times = max(1, round(times * min(seconds / took, 50)))
    return lambda given: _work(matrix, jnp.asarray(times), given).block_until_ready()


def main() -> None:
    path, workers, where, seconds = sys.argv[1:]
    stream = batches(open_conversations(Path(path)), "predictor", workers=int(workers))
    batch = next(stream)
    if where == "here":
        step = processor_step(float(seconds), batch)
    else:
        step = lambda given: time.sleep(float(seconds))  # noqa: E731
    step(next(stream))
    waited, began = 0.0, time.perf_counter()
    for _ in range(STEPS):
        asked = time.perf_counter()
        batch = next(stream)
        waited += time.perf_counter() - asked
        step(batch)
    total = time.perf_counter() - began
    stream.close()
    answer = {"waiting_share": round(waited / total, 4), "step_s": round(total / STEPS, 3)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
