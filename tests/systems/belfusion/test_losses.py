"""Losses and first gradients of both stages are the original's."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.nn.diffusion import cosine_schedule, noised
from jaxreact.systems.belfusion.config import DenoiserConfig, EmotionVAEConfig
from jaxreact.systems.belfusion.denoiser import Denoiser
from jaxreact.systems.belfusion.latent_space import decode, encode
from jaxreact.systems.belfusion.losses import best_of, denoiser_loss, vae_loss
from jaxreact.systems.belfusion.tables import VAE_TABLE, denoiser_table
from jaxreact.systems.belfusion.vae import EmotionVAE
from jaxreact.torch_files.engine import Table
from tests.golden.belfusion import recipe
from tests.systems.belfusion.weights import denoiser, golden, same, torch_gradients, vae


def value_and_gradients(model: nnx.Module, table: Table, loss: Any) -> tuple[Any, Any]:
    graph, parameters, rest = nnx.split(model, nnx.Param, ...)

    @jax.jit
    def run(parameters: Any) -> Any:
        function = lambda p: loss(nnx.merge(graph, p, rest))  # noqa: E731
        return jax.value_and_grad(function, has_aux=True)(parameters)

    (_, metrics), gradients = run(parameters)
    return metrics, torch_gradients(nnx.to_pure_dict(gradients), table)


def assert_gradients(gradients: dict[str, np.ndarray], name: str) -> None:
    expected = {k[2:]: x for k, x in golden(name).items() if k.startswith("g.")}
    assert set(gradients) == set(expected)
    for key, gradient in expected.items():
        largest = np.abs(gradient).max()
        np.testing.assert_allclose(
            gradients[key], gradient, rtol=0, atol=2e-5 * largest, err_msg=key
        )


@pytest.mark.parametrize(("name", "mode"), [("zeros", "original"), ("coeffs", "corrected")])
def test_the_vae(name, mode):
    name = f"vae_train_{name}"
    given = golden(name)
    x, noise = jnp.asarray(given["x"]), jnp.asarray(given["noise.0"])
    real = jnp.asarray(golden("vae_train_coeffs")["target_coeffs"])
    metrics, gradients = value_and_gradients(
        vae(), VAE_TABLE, lambda model: vae_loss(model, x, real, noise, mode)
    )
    order = ("loss", "emotion_loss", "kl", "coeffs_loss")
    np.testing.assert_allclose([metrics[n] for n in order], given["losses"][0], rtol=1e-5)
    assert_gradients(gradients, name)
    made = vae()(x, noise)
    same(made.emotion, name, "prediction")
    same(made.coeffs, name, "coeffs")
    assert (mode == "original") == (not given["target_coeffs"].any())  # B11


@pytest.mark.parametrize("online", [False, True])
def test_the_denoiser(online):
    name = "train_online" if online else "train_offline"
    given, model, frozen = golden(name), denoiser(), vae()
    begin = int(given["window_start"][0])
    after = begin + (5 if online else 0)
    speaker = jnp.asarray(given["speaker"][:, begin : begin + 5])
    listener = jnp.asarray(given["listener"][:, after : after + 5])
    step, noise = jnp.asarray(given["time"][0]), jnp.asarray(given["noise.0"].reshape(3, 3, 12))
    metrics, gradients = value_and_gradients(
        model,
        denoiser_table(model.config),
        lambda model: denoiser_loss(model, frozen, speaker, listener, step, noise),
    )
    order = ("loss", "latent_loss", "emotion_loss")
    np.testing.assert_allclose([metrics[n] for n in order], given["losses"][0], rtol=1e-5)
    assert_gradients(gradients, name)
    ours = [np.linalg.norm(gradients[key]) for key in given["grad_names"]]
    np.testing.assert_allclose(ours, given["grad_norms"], rtol=1e-4)
    _predictions(model, frozen, name, speaker, listener)


def _predictions(
    model: Denoiser, frozen: EmotionVAE, name: str, speaker: jax.Array, listener: jax.Array
) -> None:
    """What the first step predicts, three times for each clip, and what it should."""
    given = golden(name)
    condition, target = (encode(frozen, x, "normalize") for x in (speaker, listener))
    start, step, each = (
        jnp.repeat(jnp.asarray(x), 3, axis=0) for x in (target, given["time"][0], condition)
    )
    x = noised(start, step, jnp.asarray(given["noise.0"]), cosine_schedule(10))
    latents = model(x, step, each)
    for latent, kind in ((latents, "prediction"), (start, "target")):
        same(latent.reshape(3, 3, 12), name, f"encoded_{kind}")
        same(decode(frozen, latent, "normalize").reshape(3, 3, 5, 25), name, kind)


@pytest.mark.parametrize("name", ["offline_small", "online_small"])
def test_the_best_of_whole_clips(name):
    given = {key: jnp.asarray(x) for key, x in golden(name).items()}
    _, metrics = best_of(
        given["encoded_prediction"].reshape(3, 4, -1),
        given["encoded_target"].reshape(3, 4, -1)[:, 0],
        given["prediction"].reshape(3, 4, 20, 25),
        given["target"].reshape(3, 4, 20, 25)[:, 0],
    )
    order = ("loss", "latent_loss", "emotion_loss")
    np.testing.assert_allclose([metrics[n] for n in order], given["losses"], rtol=1e-5)


def test_each_error_is_of_its_own_best_sample():
    latents = jnp.asarray([[[0.0, 0.0], [4.0, 2.0]]])
    emotion = jnp.stack([jnp.full((3, 25), 2.0), jnp.zeros((3, 25))])[None]
    loss, metrics = best_of(latents, jnp.ones((1, 2)), emotion, jnp.ones((1, 3, 25)) * 0.5)
    assert float(metrics["latent_loss"]) == 1.0  # of the first sample
    assert float(metrics["emotion_loss"]) == 0.25  # of the second
    assert float(loss) == 12.5


def know(model: EmotionVAE, clips: list[np.ndarray]) -> None:
    """Takes the bounds of the latent space from these clips."""
    hidden = model.hidden(model.windows(jnp.asarray(np.concatenate(clips))))
    model.statistics.min[...], model.statistics.max[...] = hidden.min(0), hidden.max(0)


@pytest.mark.slow
def test_the_denoiser_of_the_released_size():
    given, tag = golden("train_released"), "ldm.train.released.online"
    model, frozen = denoiser(DenoiserConfig()), vae(EmotionVAEConfig(), "vae_released")
    know(
        frozen, [recipe.emotion(f"statistics.{name}", 4, 750) for name in ("s0", "l0", "s1", "l1")]
    )
    begin = int(given["window_start"][0])
    speaker, listener = (
        jnp.asarray(recipe.emotion(f"{tag}.{role}", 4, 750)) for role in ("speaker", "listener")
    )
    speaker, listener = speaker[:, begin : begin + 50], listener[:, begin + 50 : begin + 100]
    step = jnp.asarray(given["time"][0])
    noise = jnp.asarray(recipe.normal(f"{tag}.noise0", (40, 128)).reshape(4, 10, 128))
    metrics, gradients = value_and_gradients(
        model,
        denoiser_table(model.config),
        lambda model: denoiser_loss(model, frozen, speaker, listener, step, noise),
    )
    order = ("loss", "latent_loss", "emotion_loss")
    np.testing.assert_allclose([metrics[n] for n in order], given["losses"][0], rtol=1e-5)
    for name, norm in zip(given["grad_names"], given["grad_norms"], strict=True):
        np.testing.assert_allclose(np.linalg.norm(gradients[name]), norm, rtol=1e-4, err_msg=name)
