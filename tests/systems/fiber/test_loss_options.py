"""Options of the predictor's loss that a training passes on."""

from unittest.mock import Mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.losses import predictor_loss
from jaxreact.systems.fiber.predictor import ReactPredictor

PROBABILITIES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.5, 0.3, 0.2]]


@pytest.mark.parametrize("new_patch_only", [False, True])
def test_the_new_patch_alone_may_count(new_patch_only):
    config = PredictorConfig(block_size=4, patch_size=2, n_embd=12)
    logits = jnp.log(jnp.array([PROBABILITIES]))
    model = Mock(spec=ReactPredictor, return_value=logits, config=config)
    targets, mask = jnp.array([[0, 0, 2, 1]]), jnp.ones((1, 4), bool)
    key = jax.random.key(3)
    loss, metrics = predictor_loss(
        model, jnp.zeros((1, 8, 512)), targets + 2, targets + 3, targets, mask, key, new_patch_only
    )
    likely = [0.4, 0.3] if new_patch_only else [0.7, 0.1, 0.4, 0.3]
    assert float(loss) == float(metrics["loss"]) == pytest.approx(-np.log(likely).mean(), rel=1e-5)
    _, speaker, listener, *_ = model.call_args.args
    np.testing.assert_array_equal(speaker, targets + 2)
    np.testing.assert_array_equal(listener, targets + 3)
    assert model.call_args.kwargs["key"] is key
