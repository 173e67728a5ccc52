"""How the tokenizer sees the pose, in numbers: gains, and the share of where heads are."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.fiber.losses import relative_pose_losses
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig

FRAMES = 4


def test_rotation_counts_tenfold_and_translation_fivefold():
    draw = np.random.default_rng(0).normal(size=(2, FRAMES, 58)).astype(np.float32)
    pose = draw[..., 52:] - draw[..., 52:].mean(axis=1, keepdims=True)
    seen = draw.copy()
    seen[..., 52:55], seen[..., 55:] = 10 * pose[..., :3], 5 * pose[..., 3:]
    sizes: dict[str, Any] = {"n_embd": 4, "n_head": 1, "n_layer": 1, "block_size": FRAMES}
    relative, plain = (
        FaceTokenizer(FaceTokenizerConfig(relative_pose=on, **sizes), rngs=nnx.Rngs(0))
        for on in (True, False)
    )
    found, expected = relative.latent(jnp.asarray(draw)), plain.latent(jnp.asarray(seen))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert np.abs(found - plain.latent(jnp.asarray(draw))).max() > 1e-2


@pytest.mark.parametrize(("channel", "group"), [(52, "rotation"), (57, "translation")])
def test_three_hundredths_of_an_offset_count(channel, group):
    target = jnp.zeros((1, FRAMES, 58))
    elsewhere = target.at[..., channel].set(1.0)
    losses = relative_pose_losses(elsewhere, target)
    assert float(losses[group]) == pytest.approx(0.03 / 3)
    moving = target.at[:, ::2, channel].set(1.0)  # half a unit from its mean, and from the target
    assert float(relative_pose_losses(moving, target)[group]) == pytest.approx(0.5 / 3)
