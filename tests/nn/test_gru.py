"""The recurrent layer computes what torch's does, and goes on where it stopped."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxreact.nn import gru as gru_module
from jaxreact.nn.attention import Linear
from jaxreact.nn.gru import GRU

X = np.random.default_rng(0).standard_normal((3, 7, 4)).astype(np.float32)


def weights(layer: Linear) -> tuple[jax.Array, jax.Array]:
    assert layer.bias is not None
    return layer.kernel[...], layer.bias[...]


def by_hand(gru: GRU, x: np.ndarray) -> np.ndarray:
    """The equations of torch's documentation, one frame after the other."""

    def sigmoid(value: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-value))

    given, hidden = (list(map(np.asarray, weights(layer))) for layer in (gru.input, gru.hidden))
    state = np.zeros((len(x), gru.size))
    for frame in np.moveaxis(x, 1, 0):
        a, b = frame @ given[0] + given[1], state @ hidden[0] + hidden[1]
        n = gru.size
        reset, update = sigmoid(a[:, :n] + b[:, :n]), sigmoid((a + b)[:, n : 2 * n])
        new = np.tanh(a[:, 2 * n :] + reset * b[:, 2 * n :])
        state = (1 - update) * new + update * state
    return state


def test_the_last_state():
    gru = GRU(4, 5, rngs=nnx.Rngs(0))
    np.testing.assert_allclose(gru.last_state(jnp.asarray(X)), by_hand(gru, X), rtol=0, atol=1e-6)


def test_a_sequence_is_its_steps():
    gru = GRU(4, 5, rngs=nnx.Rngs(0))
    state = gru.start(3)
    for frame in range(7):
        state = gru.step(state, jnp.asarray(X[:, frame]))
    np.testing.assert_allclose(gru.last_state(jnp.asarray(X)), state, rtol=0, atol=1e-6)


def test_what_stays_is_computed_once():
    gru = GRU(4, 5, rngs=nnx.Rngs(0))
    first, last = jnp.asarray(X[:, 0, :3]), jnp.asarray(X[:, 0, 3:])
    state = jnp.asarray(X[:, 1:3].reshape(3, -1)[:, :5])
    apart = gru.step(state, last, gru.held(first))
    whole = gru.step(state, jnp.concatenate([first, last], axis=-1))
    np.testing.assert_allclose(apart, whole, rtol=0, atol=1e-6)


def test_gradients_are_the_same_where_steps_are_computed_again(monkeypatch):
    graph, state = nnx.split(GRU(4, 5, rngs=nnx.Rngs(0)))

    def loss(state, x):
        return jnp.sum(jnp.sin(nnx.merge(graph, state).last_state(x)))

    def found(again: bool):
        monkeypatch.setattr(gru_module, "forgets", lambda: again)
        traced = str(jax.make_jaxpr(jax.grad(loss))(state, jnp.asarray(X)))
        assert ("remat" in traced or "checkpoint" in traced) == again
        return jax.tree.leaves(jax.grad(loss, (0, 1))(state, jnp.asarray(X)))

    for again, kept in zip(found(True), found(False), strict=True):
        np.testing.assert_allclose(again, kept, rtol=0, atol=1e-6)


def test_weights_start_within_torchs_bound():
    gru = GRU(40, 100, rngs=nnx.Rngs(0))
    for layer in (gru.input, gru.hidden):
        for each in weights(layer):
            assert 0.095 < jnp.abs(each).max() <= 0.1
