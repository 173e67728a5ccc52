"""Parameter by parameter an update is that of all at once."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxreact.nn.layers import Layers
from jaxreact.training.optimizer import OptimizerConfig, learning_rate, make_optimizer
from jaxreact.training.update import updated
from jaxreact.variables import state_of


class Model(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.h = Layers([nnx.Linear(2, 3, rngs=rngs) for _ in range(4)])
        self.other = Layers([nnx.Linear(2, 3, rngs=rngs) for _ in range(4)])
        self.head = nnx.Linear(3, 2, rngs=rngs)


def like(tree, seed):
    leaves, structure = jax.tree.flatten(tree)
    keys = jax.random.split(jax.random.key(seed), len(leaves))
    drawn = [jax.random.normal(k, x.shape) for k, x in zip(keys, leaves, strict=True)]
    return structure.unflatten(drawn)


def close(found, expected):
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-8), found, expected
    )


def test_as_the_optimizer_moves_all_parameters_at_once():
    config = OptimizerConfig(weight_decay=0.5, warmup_steps=3)
    optimizer = make_optimizer(config, learning_rate(config, 10, 10))
    params = whole = state_of(Model())
    state = whole_state = optimizer.init(params)
    for number in range(3):
        gradients = like(params, number)
        updates, whole_state = optimizer.update(gradients, whole_state, whole)
        whole = optax.apply_updates(whole, updates)
        params, state, norms = updated(optimizer, lambda path: True, gradients, state, params)
        assert jax.tree.structure((params, state)) == jax.tree.structure((whole, whole_state))
        close((params, state), (whole, whole_state))
        expected = {"gradients": gradients, "parameters": whole, "updates": updates}
        assert norms == {
            f"norm/{name}": pytest.approx(float(optax.tree_utils.tree_norm(tree)), rel=1e-5)
            for name, tree in expected.items()
        }


def test_weights_of_joined_layers_decay_and_their_biases_do_not():
    optimizer = make_optimizer(OptimizerConfig(learning_rate=1.0, weight_decay=0.25), 1.0)
    params = jax.tree.map(jnp.ones_like, state_of(Model()))
    none = jax.tree.map(jnp.zeros_like, params)
    moved = updated(optimizer, lambda path: True, none, optimizer.init(params), params)[0]
    for part in (moved["h"]["each"], moved["other"]["each"], moved["head"]):
        np.testing.assert_allclose(part["kernel"], 0.75)
        np.testing.assert_array_equal(part["bias"], 1)


def test_what_is_not_trained_neither_moves_nor_decays():
    optimizer = make_optimizer(OptimizerConfig(), 1e-3)
    params, seen = state_of(Model()), []

    def trainable(path: tuple[str, ...]) -> bool:
        seen.append(path)
        return path[0] != "h"

    gradients = like(params, 0)
    moved, state, norms = updated(optimizer, trainable, gradients, optimizer.init(params), params)
    assert ("h", "each", "kernel") in seen
    close(moved["h"], params["h"])
    assert (np.asarray(moved["other"]["each"]["kernel"]) != params["other"]["each"]["kernel"]).all()
    assert not np.asarray(optax.tree_utils.tree_get(state, "mu")["h"]["each"]["kernel"]).any()
    trained = {name: gradients[name] for name in ("other", "head")}
    assert float(norms["norm/gradients"]) == pytest.approx(
        float(optax.tree_utils.tree_norm(trained)), rel=1e-5
    )


def test_parameters_of_one_shape_share_a_function():
    optimizer = make_optimizer(OptimizerConfig(), 1e-3)
    params = state_of(Model())

    def update(params, state):
        return updated(optimizer, lambda path: True, params, state, params)

    text = jax.jit(update).trace(params, optimizer.init(params)).lower().as_text()
    # Kernels and biases of two shapes; the first one counts the steps too.
    assert text.count("func.func private @_updated_leaf") == 5
    assert text.count("call @_updated_leaf") == 6
