"""Run by test_attend_devices.py in a process of its own, since a process has its devices for life.

Attention of a batch that eight CPU devices share, by kernels walked through step by step, beside
attention written out on one; prints JSON.
"""

import json
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxreact.nn import attend as written_out
from jaxreact.nn import attend_fused
from jaxreact.nn.attend_fused import Heads
from jaxreact.nn.dropout import seed_of
from jaxreact.sharding import devices_of_a_batch, make_device_mesh, over

FUSED = partial(attend_fused.attend, interpret=True)
HEADS, LENGTH, SIZE, RATE = 3, 16, 16, 0.3
CASES = {"16": (16,), "12": (12,), "16, two samples each": (16, 2), "16, nothing more": (16,)}
"""Sizes of the axes before time; of samples there is one more. "Nothing more" has neither mask nor
dropout, and queries, keys and values in one array."""


def found(form: Any, rows: Any, allowed: Any, seed: Any) -> tuple[jax.Array, ...]:
    """Output, and the gradients by queries, keys and values, or by all at once."""

    def attend(*parts: jax.Array) -> jax.Array:
        if len(parts) == 3:
            return form(*parts, allowed, None, RATE, seed)
        three = [Heads(parts[0], HEADS * number, HEADS) for number in range(3)]
        return form(*(three if form is FUSED else [part.taken() for part in three]))

    attends = jax.vmap(attend, 1, 1) if rows[0].ndim > 4 else attend
    output, back = jax.vjp(attends, *rows)
    return output, *back(jnp.cos(output))


def main() -> None:
    mesh = make_device_mesh(fsdp=2)
    said: dict[str, Any] = {}

    def shared(*given: Any) -> Any:
        with over(mesh.batch):
            return devices_of_a_batch(), found(FUSED, *given)

    for name, axes in CASES.items():
        draw = jax.random.split(jax.random.key(0), 4)
        rows = tuple(jax.random.normal(key, (*axes, LENGTH, HEADS, SIZE)) for key in draw[:3])
        allowed = jax.random.bernoulli(draw[3], 0.6, (axes[0], 1, LENGTH))
        seed = seed_of(jax.random.key(3))
        if "nothing" in name:
            rows, allowed, seed = (jnp.concatenate(rows, axis=2),), None, None
        expected = jax.jit(partial(found, written_out.attend))(rows, allowed, seed)
        seed = seed if seed is None else mesh.put(seed, mesh.replicated)
        given = (*mesh.put_global((rows, allowed)), seed)
        traced = jax.jit(shared).trace(*given)
        program = traced.lower().compile()
        devices, parts = program(*given)
        text = str(program.as_text())
        said[name] = {
            "devices": int(devices),
            "kernels": "shard_map" in str(traced.jaxpr),
            "difference": max(
                float(np.abs(np.asarray(a) - np.asarray(b)).max())
                for a, b in zip(parts, expected, strict=True)
            ),
            "of_a_device": sorted({each.sharding.shard_shape(each.shape)[0] for each in parts}),
            "exchanged": [word for word in ("all-", "permute(") if word in text],
        }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
