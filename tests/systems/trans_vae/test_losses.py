"""Losses and gradients of the original's first training step."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.trans_vae.conversion import TABLE
from jaxreact.systems.trans_vae.decoder import Face
from jaxreact.systems.trans_vae.latent import Gaussian
from jaxreact.systems.trans_vae.losses import LossWeights, likeness, trans_vae_loss
from jaxreact.systems.trans_vae.model import Reaction
from jaxreact.torch_files.engine import paths, to_torch
from tests.golden.trans_vae import recipe
from tests.systems.trans_vae.models import golden_model, latent_noise
from tests.weights import golden

BATCH, FRAMES = 2, 16
MODES = ("offline", "online")


@cache
def first_step(mode: str):
    """Total, parts, gradients by torch names, and both samples of the reaction."""
    tag = f"train.{mode}"
    graph, state = nnx.split(golden_model(online=mode == "online"))
    video = jnp.asarray(recipe.video(tag, BATCH, FRAMES, 32))
    audio = jnp.asarray(recipe.audio(tag, BATCH, FRAMES))
    windows = 2 if mode == "online" else 1
    # Without dropout two samples of one pass are those of two passes.
    noise = np.concatenate([latent_noise(f"{tag}.0.{x}", BATCH, windows) for x in "ab"], axis=1)
    recorded = (recipe.face(tag, BATCH, FRAMES), recipe.emotion(tag, BATCH, FRAMES))
    target = Face(*(jnp.asarray(part[:, None]) for part in recorded))

    def loss(state):
        model = nnx.merge(graph, state)
        both = model(video, audio, jnp.asarray(noise))
        reaction = jax.tree.map(lambda part: part[:, :1], both)
        second = jax.tree.map(lambda part: part[:, 1:], both.face)
        total, parts = trans_vae_loss(reaction, second, target, LossWeights())
        return total, (parts, reaction.face, second)

    (total, aside), gradient = jax.jit(jax.value_and_grad(loss, has_aux=True))(state)
    return total, aside, to_torch(paths(nnx.to_pure_dict(gradient)), TABLE)


@pytest.mark.parametrize("mode", ["offline", pytest.param("online", marks=pytest.mark.slow)])
def test_losses_are_the_originals(mode):
    expected = golden(f"trans_vae/tvae_train_small_{mode}")
    total, (parts, face, second), _ = first_step(mode)
    ours = [total, *(parts[name] for name in ("reconstruction", "divergence", "likeness"))]
    np.testing.assert_allclose(ours, expected["losses"][0], rtol=1e-5, atol=1e-6)
    for name, sample in (("", face), ("_second", second)):
        np.testing.assert_allclose(
            sample.coeffs[:, 0], expected[f"coeffs{name}"], rtol=0, atol=1e-5
        )
        np.testing.assert_allclose(
            sample.emotion[:, 0], expected[f"emotion{name}"], rtol=0, atol=1e-5
        )


@pytest.mark.parametrize(
    "mode", [pytest.param(mode, marks=[pytest.mark.slow] * (mode == "online")) for mode in MODES]
)
def test_gradients_are_the_originals(mode):
    """Of every tensor, within 2e-5 of its largest; through all windows and their encodings."""
    expected = golden(f"trans_vae/tvae_train_small_{mode}")
    gradients = first_step(mode)[2]
    without = set(map(str, expected["nograd_names"]))
    assert {name.removeprefix("g.") for name in expected if name.startswith("g.")} == (
        set(gradients) - without
    )
    for name, ours in gradients.items():
        if name in without:
            assert not np.any(ours), name
            continue
        theirs = expected[f"g.{name}"]
        np.testing.assert_allclose(
            ours, theirs, rtol=0, atol=2e-5 * np.abs(theirs).max() + 2e-6, err_msg=name
        )


def test_likeness_of_samples_that_are_the_same_and_far_apart():
    face = Face(jnp.zeros((2, 1, 4, 58)), jnp.zeros((2, 1, 4, 25)))
    assert float(likeness(face, face)) == 2.0
    far = Face(face.coeffs + 10.0, face.emotion + 10.0)
    assert float(likeness(face, far)) < 1e-6


def test_no_gradient_goes_through_the_second_sample():
    face = Face(jnp.full((1, 1, 2, 58), 0.1), jnp.zeros((1, 1, 2, 25)))
    other = Face(jnp.full((1, 1, 2, 58), 0.2), jnp.full((1, 1, 2, 25), 0.3))

    def of_second(second: Face) -> jax.Array:
        latent = Gaussian(jnp.zeros((1, 1, 1, 4)), jnp.ones((1, 1, 1, 4)))
        return trans_vae_loss(Reaction(face, latent), second, face, LossWeights())[0]

    assert not any(np.any(leaf) for leaf in jax.tree.leaves(jax.grad(of_second)(other)))
