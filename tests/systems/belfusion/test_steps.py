"""Three steps of both stages, as the harness makes them, lead to the original's parameters."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.belfusion.losses import denoiser_loss, vae_loss
from jaxreact.systems.belfusion.presets import DENOISER_PRESETS, VAE_PRESETS
from jaxreact.systems.belfusion.tables import VAE_TABLE, denoiser_table
from jaxreact.systems.belfusion.train_denoiser import first_frame, pair_of_windows
from jaxreact.torch_files.engine import paths, to_torch
from jaxreact.training.optimizer import OptimizerConfig
from tests.systems.belfusion.weights import denoiser, golden, vae
from tests.training.steps import steps

RATE = 1e-3
"""Of the goldens of either stage."""


def assert_parameters(state: Any, table: Any, name: str) -> None:
    """Equal but where a first gradient is about zero: there Adam makes steps of rounding noise."""
    ours = to_torch(paths(state.params | state.statistics), table)
    compared = 0
    for key, expected in golden(name).items():
        if not key.startswith("p."):
            continue
        counted = np.abs(golden(name)[f"g.{key[2:]}"]) >= 1e-5
        compared += counted.sum()
        np.testing.assert_allclose(
            ours[key[2:]][counted], expected[counted], rtol=0, atol=1e-6, err_msg=key
        )
    assert compared > 1000
    assert golden(name).get("learning_rate", RATE) == RATE
    if "param_names" in golden(name):
        norms = [np.linalg.norm(ours[key]) for key in golden(name)["param_names"]]
        np.testing.assert_allclose(norms, golden(name)["param_norms_after"], rtol=1e-5)


def optimizer(presets: Any) -> OptimizerConfig:
    """The original's, of a preset, at the goldens' rate."""
    return dataclasses.replace(presets["original"].keywords["loop"].optimizer, learning_rate=RATE)


@pytest.mark.parametrize(
    ("name", "mode"),
    [pytest.param("zeros", "original", marks=pytest.mark.slow), ("coeffs", "corrected")],
)
def test_the_vae(name, mode):
    name = f"vae_train_{name}"
    given, real = golden(name), jnp.asarray(golden("vae_train_coeffs")["target_coeffs"])
    noises = [{"noise": jnp.asarray(given[f"noise.{step}"])} for step in range(3)]

    def loss(model: Any, frozen: Any, batch: Any, key: jax.Array) -> Any:
        value, metrics = vae_loss(model, jnp.asarray(given["x"]), real, batch["noise"], mode)
        return value, (metrics, {})

    state, metrics = steps(vae(), loss, noises, optimizer(VAE_PRESETS))
    order = ("loss", "emotion_loss", "kl", "coeffs_loss")
    losses = [[float(each[n]) for n in order] for each in metrics]
    np.testing.assert_allclose(losses, given["losses"], rtol=1e-5)
    assert_parameters(state, VAE_TABLE, name)


@pytest.mark.slow
@pytest.mark.parametrize("online", [False, True])
def test_the_denoiser(online):
    name = "train_online" if online else "train_offline"
    given, model = golden(name), denoiser(online=online)
    clips = {f"{role}_emotion": jnp.asarray(given[role]) for role in ("speaker", "listener")}
    batches = [
        {
            "begin": jnp.asarray(given["window_start"][step]),
            "step": jnp.asarray(given["time"][step]),
            "noise": jnp.asarray(given[f"noise.{step}"].reshape(3, 3, 12)),
        }
        for step in range(3)
    ]

    def loss(model: Any, frozen: Any, batch: Any, key: jax.Array) -> Any:
        windows = pair_of_windows(clips, batch["begin"], model.config)
        value, metrics = denoiser_loss(model, vae(), *windows, batch["step"], batch["noise"])
        return value, (metrics, {})

    state, metrics = steps(model, loss, batches, optimizer(DENOISER_PRESETS))
    order = ("loss", "latent_loss", "emotion_loss")
    losses = [[float(each[n]) for n in order] for each in metrics]
    np.testing.assert_allclose(losses, given["losses"], rtol=1e-5)
    assert_parameters(state, denoiser_table(model.config), name)


def test_where_a_batchs_windows_begin():
    """In the original at one of the first 50 frames, in all clips of a batch; else where a crop
    does, which may be anywhere."""
    config = denoiser().config
    keys = jax.random.split(jax.random.key(0), 200)
    begins = jax.vmap(lambda key: first_frame(key, config, "original"))(keys)
    assert set(np.asarray(begins).tolist()) == set(range(5))
    assert int(first_frame(keys[0], config, "corrected")) == 0
