"""The denoiser and its diffusion give the original's numbers, stage by stage."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxreact.nn.diffusion import cosine_schedule, ddim_step, noised, time_features
from jaxreact.systems.belfusion.latent_space import decode, encode
from tests.systems.belfusion.weights import denoiser, golden, same, vae


def given(name: str) -> dict[str, Any]:
    return {key: jnp.asarray(x) for key, x in golden(name).items()}


def test_the_layers():
    model, g = denoiser(), given("denoiser_small")
    time = model.time_embed(time_features(g["t"], 64))
    condition = model.cond_embed(g["cond"])
    same(time, "denoiser_small", "time_embedded")
    same(condition, "denoiser_small", "cond_embedded")
    y, both = g["x"], jax.nn.silu(jnp.concatenate([time, condition], axis=-1))
    for number, layer in enumerate(model.layers):
        y = layer(jnp.concatenate([y, g["x"]], axis=-1), both)
        same(y, "denoiser_small", f"layer{number}")
    same(model.last(jnp.concatenate([y, g["x"]], axis=-1)), "denoiser_small", "layer3")
    same(model(g["x"], g["t"], g["cond"]), "denoiser_small", "output")


def test_latents_of_windows():
    model, g = vae(), given("denoiser_small")
    encoded = encode(model, model.windows(g["speaker"]), "normalize")
    same(encoded, "denoiser_small", "encoded")
    same(decode(model, encoded, "normalize"), "denoiser_small", "decoded")
    for name in ("min", "max", "mean", "std", "var"):
        same(getattr(model.statistics, name)[...], "denoiser_small", f"statistics.{name}")
    target = encode(model, model.windows(g["listener"]), "normalize")
    same(target, "chain_small", "encoded_target")
    same(decode(model, target, "normalize"), "chain_small", "target")


def test_noising():
    g = given("denoiser_small")
    result = noised(g["q_start"], jnp.arange(10), g["q_noise"], cosine_schedule(10))
    same(result, "denoiser_small", "q_sample", 1e-6)


def test_the_chain_step_by_step_and_whole():
    model, coder, g = denoiser(), vae(), given("chain_small")
    speaker = given("denoiser_small")["speaker"]
    condition = encode(coder, coder.windows(speaker), "normalize")
    x = g["noise"]
    for row, step in enumerate(reversed(range(10))):
        np.testing.assert_allclose(x, g["x_t"][row], rtol=0, atol=1e-5)
        raw = model(x, jnp.full(len(x), step), condition)
        np.testing.assert_allclose(raw, g["model_output"][row], rtol=0, atol=1e-5)
        start = jnp.clip(raw, -1, 1)
        np.testing.assert_allclose(start, g["predicted_start"][row], rtol=0, atol=1e-5)
        x = ddim_step(x, start, jnp.asarray(step), cosine_schedule(10))
        np.testing.assert_allclose(x, g["sample"][row], rtol=0, atol=1e-5)
    sampled = model.sample(condition, g["noise"])
    np.testing.assert_allclose(sampled, g["sample"][-1], rtol=0, atol=1e-5)
    emotion = decode(coder, sampled, "normalize")
    same(emotion, "chain_small", "prediction")
    same(coder.coeffs_of(emotion), "chain_small", "coeffs")
