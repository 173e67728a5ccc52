"""Learning rate, weight decay and what is left alone."""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.fiber.train_tokenizer import TokenizerTraining, in_emotion_phase
from jaxreact.training.loop import LoopConfig
from jaxreact.training.optimizer import (
    OptimizerConfig,
    learning_rate,
    make_optimizer,
    trainable_mask,
)
from tests.weights import GOLDEN

TRACE = json.loads((GOLDEN / "lr_trace_tokenizer.json").read_text())


def test_the_warm_up_is_the_originals():
    schedule = learning_rate(OptimizerConfig(warmup_steps=6), steps_per_epoch=2, epochs=10)
    assert len(TRACE) == 20
    for entry in TRACE:
        rate = float(schedule(entry["global_step"]))
        assert rate == pytest.approx(entry["lr"], rel=1e-6), entry


def test_the_phase_switches_in_the_originals_epoch():
    config = TokenizerTraining(Path(), Path(), loop=LoopConfig(epochs=10))
    for entry in TRACE:
        assert in_emotion_phase(entry["epoch"], config) == (entry["phase"] == 2), entry
    config = TokenizerTraining(Path(), Path(), loop=LoopConfig(epochs=200))
    assert not in_emotion_phase(160, config)
    assert in_emotion_phase(161, config)


def test_rates_without_a_warm_up_and_with_a_decay():
    constant = learning_rate(OptimizerConfig(0.5, warmup_steps=0), 3, 2)
    assert [float(constant(step)) for step in (0, 5)] == [0.5, 0.5]
    config = OptimizerConfig(0.5, warmup_steps=0, final_share=0.2)
    decaying = [float(learning_rate(config, 5, 2)(step)) for step in (0, 5, 10, 20)]
    assert decaying == pytest.approx([0.5, 0.3, 0.1, 0.1])


def parameters() -> dict:
    return {"kernel": jnp.ones((2, 2)), "bias": jnp.ones(2), "gate": jnp.ones(())}


def test_only_matrices_decay():
    optimizer, params = make_optimizer(OptimizerConfig(), 1e-3), parameters()
    zero = jax.tree.map(jnp.zeros_like, params)
    updates: Any = optimizer.update(zero, optimizer.init(params), params)[0]
    np.testing.assert_allclose(updates["kernel"], -1e-4, rtol=1e-6)
    assert not np.asarray(updates["bias"]).any()
    assert float(updates["gate"]) == 0


def test_everything_decays_where_it_is_asked_for():
    optimizer, params = make_optimizer(OptimizerConfig(decay="all"), 1e-3), parameters()
    zero = jax.tree.map(jnp.zeros_like, params)
    updates: Any = optimizer.update(zero, optimizer.init(params), params)[0]
    for update in jax.tree.leaves(updates):
        np.testing.assert_allclose(update, -1e-4, rtol=1e-6)


def test_adam_by_hand():
    """Two steps of Adam with the original's betas: the second moment forgets in 20 steps."""
    optimizer, params = make_optimizer(OptimizerConfig(), 1e-3), {"bias": jnp.zeros(1)}
    state, m, v = optimizer.init(params), 0.0, 0.0
    updates: Any
    for step, gradient in enumerate((3.0, -1.0), start=1):
        updates, state = optimizer.update({"bias": jnp.array([gradient])}, state, params)
        m, v = 0.9 * m + 0.1 * gradient, 0.95 * v + 0.05 * gradient**2
        expected = -1e-3 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.95**step)) + 1e-8)
        assert float(updates["bias"][0]) == pytest.approx(expected, rel=1e-5)


def test_the_trainable_mask_knows_paths():
    seen = []

    def trainable(path: tuple[str, ...]) -> bool:
        seen.append(path)
        return path[0] == "b"

    tree = {"a": {0: {"kernel": jnp.ones(1)}}, "b": {"bias": jnp.ones(1)}}
    mask = trainable_mask(tree, trainable)
    assert mask == {"a": {0: {"kernel": False}}, "b": {"bias": True}}
    assert seen == [("a", "0", "kernel"), ("b", "bias")]
