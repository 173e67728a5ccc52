"""Reactions on a GPU: of whole clips, of windows, and of streams."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import streaming_jobs
from gpu_measuring import Found, gib, median_ms, since_start
from gpu_models import Sizes

from jaxreact.sharding import host
from jaxreact.systems.fiber.system import Fiber
from jaxreact.systems.system import Speaker


def generation(sizes: Sizes) -> Found:
    """Ten reactions to a clip of 736 frames: codes alone, and all from face and sound to faces."""
    frames = 64 if sizes.small else 736
    features = jnp.zeros((1, 2 * frames, 512))
    codes = jnp.asarray(np.arange(frames)[None] % 1000)
    model, key = sizes.predictor(), jax.random.key(0)
    jax.block_until_ready(model.generate(features, codes, key=key))
    first = since_start()
    made = median_ms(lambda: model.generate(features, codes, key=key))
    half = model.in_precision("bfloat16")
    jax.block_until_ready(half.generate(features, codes, key=key))
    found = {
        "seconds_to_first": first,
        "codes_ms": made,
        "codes_bfloat16_ms": median_ms(lambda: half.generate(features, codes, key=key)),
    }
    system = Fiber(sizes.tokenizer(), model, sizes.encoder())
    random = np.random.default_rng(0)
    coeffs = 0.1 * random.standard_normal((1, frames, 58), np.float32)
    speaker = Speaker(coeffs, 0.1 * random.standard_normal((1, frames * 640), np.float32))
    jax.block_until_ready(system.react(speaker, key=key).coeffs)
    whole = median_ms(lambda: system.react(speaker, key=key).coeffs)
    return {**found, "reactions_ms": whole, "gib": gib()}


def passes(sizes: Sizes) -> Found:
    """One pass of the predictor over a window."""
    found: Found = {}
    for windows, precision in ((1, "tensorfloat32"), (32, "bfloat16")):
        model = sizes.predictor().in_precision(precision)  # pyright: ignore[reportArgumentType]
        tokens = jnp.full((windows, 256), 5, jnp.int32)
        inputs = (jnp.zeros((windows, 512, 512)), tokens, tokens)
        began = time.perf_counter()
        jax.block_until_ready(model.logits(*inputs))
        compiling = round(time.perf_counter() - began, 2)
        found[f"{windows} windows, {precision}"] = {
            "first_s": compiling,
            "pass_ms": median_ms(lambda model=model, inputs=inputs: model.logits(*inputs)),
        }
    return found


def codes(sizes: Sizes) -> Found:
    """Codes of 47,104 frames at the usual precision beside a processor's."""
    clips = 2 if sizes.small else 64
    coeffs = 0.3 * np.random.default_rng(0).standard_normal((clips, 736, 58), np.float32)
    model = sizes.tokenizer()
    here = np.asarray(model.encode(coeffs))
    with jax.default_device(host()):
        there = np.asarray(model.placed(place(host())).encode(coeffs))
    milliseconds = median_ms(lambda: model.encode(coeffs))
    return {"frames": here.size, "differ": int((here != there).sum()), "encode_ms": milliseconds}


def place(device: Any) -> Any:
    return jax.sharding.SingleDeviceSharding(device)


def stream(sizes: Sizes, frames: str) -> Found:
    """One stream, from the last sample of a step to its reactions."""
    return streaming_jobs.step(streamed(sizes), int(frames), 3 if sizes.small else 40)


def streams(sizes: Sizes, frames: str, count: str) -> Found:
    """Streams in real time, all in one pool."""
    seconds = 5 if sizes.small else 20
    return streaming_jobs.load(streamed(sizes), int(frames), int(count), seconds)


def streamed(sizes: Sizes) -> str:
    return f"fiber, {'demo' if sizes.small else 'released'} sizes"
