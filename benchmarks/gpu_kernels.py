"""Attention, distances and drawing on a GPU, each beside the other ways to do it."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from gpu_measuring import Found, median_ms
from gpu_models import Sizes


def kernel(sizes: Sizes) -> Found:
    """Attention as one kernel beside attention written out, forwards and backwards."""
    from jaxreact.nn import attend, attend_fused
    from jaxreact.nn.dropout import seed_of

    usable, found = attend_fused.is_usable(), {}
    batch_size, seed = 2 if sizes.small else 64, seed_of(jax.random.key(3))
    for dtype in (jnp.float32, jnp.bfloat16):
        draw = jax.random.split(jax.random.key(0), 4)
        shape = (batch_size, 256, 12, 30)
        parts = [(jax.random.normal(key, shape) * 30**-0.25).astype(dtype) for key in draw]
        allowed = jnp.arange(256)[None, None] >= jnp.arange(batch_size)[:, None, None]

        def back(form: Any, parts: Any = parts, allowed: Any = allowed) -> Callable[..., Any]:
            def all_of_it(*parts: jax.Array) -> Any:
                def output(*three: jax.Array) -> jax.Array:
                    return form(*three, allowed, None, 0.1, seed)

                made, pull = jax.vjp(output, *parts[:3])
                return made, *pull(parts[3])

            return jax.jit(all_of_it)

        forms = {"written out": back(attend.attend), "kernel": back(attend_fused.attend)}
        with jax.default_matmul_precision("float32"):
            values = {name: form(*parts) for name, form in forms.items()}
        differences = [
            float(jnp.abs(a.astype(jnp.float32) - b.astype(jnp.float32)).max())
            for a, b in zip(*values.values(), strict=True)
        ]
        jax.block_until_ready([form(*parts) for form in forms.values()])
        times = {f"{name} ms": median_ms(partial(f, *parts)) for name, f in forms.items()}
        found[jnp.dtype(dtype).name] = {"largest_differences": differences, **times}
    return {"usable": usable, **found}


def frd(sizes: Sizes) -> Found:
    """Warpings a second by both kernels, and by what `auto` takes; the cores get fewer to do."""
    from warping import arrays

    from jaxreact.metrics.warping.nearest import nearest_distances

    clips, few, frames = (4, 2, 100) if sizes.small else (512, 16, 750)
    predicted, truth, lists = arrays(clips, 10, frames)
    reference = nearest_distances(predicted[:few], truth, lists[:few], kernel="cpu")
    found: Found = {}
    ways: dict[str, tuple[int, dict[str, Any]]] = {
        "auto": (clips, {}),
        "jax": (clips, {"kernel": "jax"}),
        "jax, 1 GiB": (clips, {"kernel": "jax", "memory": 2**30}),
        "jax, few": (few, {"kernel": "jax"}),
        "cpu, to the end": (few, {"kernel": "cpu", "prune": False}),
        "cpu, giving up": (few, {"kernel": "cpu", "prune": True}),
    }
    for name, (number, options) in ways.items():
        given = (predicted[:number], truth, lists[:number])
        begun = time.perf_counter()
        nearest_distances(*given, **options)  # compiles
        start = time.perf_counter()
        distances = nearest_distances(*given, **options)
        pairs = sum(10 * len(others) for others in lists[:number])
        found[name] = {
            "pairs": pairs,
            "first_s": round(start - begun, 2),
            "warpings_per_second": round(pairs / (time.perf_counter() - start)),
            "largest_relative_difference": float(np.abs(distances[:few] / reference - 1).max()),
        }
    return found


def pytorch3d(sizes: Sizes) -> Found:
    """Frames a second of flat heads by each backend, and which of them `auto` takes."""
    from rendering import Config, speed

    from jaxreact.rendering import choose_backend

    config = Config(frames=20 if sizes.small else 736, repeats=1 if sizes.small else 2)
    auto = choose_backend("auto", "flat")
    backends = ("cpu", "pytorch3d") if auto == "pytorch3d" else ("cpu",)
    rows = [
        speed(config, head, "flat", backend)  # pyright: ignore[reportArgumentType]
        for head in ("mask", "builtin")
        for backend in backends
    ]
    return {"auto": auto, "speed": rows}


def pirender(sizes: Sizes) -> Found:
    """Photo-real frames a second."""
    from face_generator_workload import clip

    from jaxreact.rendering.pirender.config import FaceGeneratorConfig
    from jaxreact.rendering.pirender.load import FaceGenerator
    from jaxreact.rendering.pirender.photoreal import photoreal_frames
    from tests.rendering.pirender.weights import generator

    if sizes.small:
        return {"skipped": "takes minutes on a processor; see face_generator.py"}
    frames = 736
    tensors, portrait, coeffs = clip(frames)
    model = FaceGenerator(generator(FaceGeneratorConfig(), tensors), {}, Path("random"))
    list(photoreal_frames(model, portrait, coeffs, dtype="bfloat16"))
    start = time.perf_counter()
    list(photoreal_frames(model, portrait, coeffs, dtype="bfloat16"))
    return {"frames_per_second": round(frames / (time.perf_counter() - start), 1)}
