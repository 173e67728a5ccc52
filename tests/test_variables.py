"""Both forms of a model's variables, and the way between them."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxreact.nn.layers import Layers
from jaxreact.variables import axes_of_one, joined, one_by_one, state_of, variables_of


class Model(nnx.Module):
    def __init__(self, count: int = 12):
        rngs = nnx.Rngs(0)
        self.h = Layers([nnx.Linear(2, 3, rngs=rngs) for _ in range(count)])
        self.convolutions = nnx.List([nnx.Linear(size, 1, rngs=rngs) for size in (1, 2)])
        self.head = nnx.Linear(3, 1, use_bias=False, rngs=rngs)


def test_files_hold_layers_one_by_one_in_their_order():
    model = Model()
    found = variables_of(model)
    assert list(found["h"]) == list(range(12))
    for number, layer in found["h"].items():
        assert layer["kernel"].shape == (2, 3)
        np.testing.assert_array_equal(layer["kernel"], model.h[number].kernel[...])
    assert set(found) == {"h", "convolutions", "head"}
    assert [found["convolutions"][number]["kernel"].shape for number in (0, 1)] == [(1, 1), (2, 1)]
    assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(found))


def test_there_and_back():
    """Of a whole state with its moments, too, and of shapes."""
    params = state_of(Model())
    state = (params, optax.adamw(1e-3).init(params))
    separate = one_by_one(state)
    assert separate[1][0].mu["h"][3]["kernel"].shape == (2, 3)
    assert separate[1][0].count.shape == ()
    back = joined(separate, state)
    assert jax.tree.structure(back) == jax.tree.structure(state)
    jax.tree.map(np.testing.assert_array_equal, back, state)
    shapes = jax.eval_shape(one_by_one, jax.eval_shape(lambda: state))
    assert shapes == jax.eval_shape(lambda: separate)


@pytest.mark.parametrize("change", ["one less", "one more", "joined already"])
def test_other_layers_are_refused(change):
    state = state_of(Model())
    variables: Any = one_by_one(state)
    if change == "joined already":
        variables = state
    elif change == "one more":
        variables["h"][12] = variables["h"][0]
    else:
        del variables["h"][5]
    with pytest.raises(ValueError, match=r"layers \[.*\], 12 expected"):
        joined(variables, state)


def test_axes_of_one_layer():
    axes = jax.tree_util.tree_map_with_path(axes_of_one, state_of(Model()))
    assert axes["h"] == {"each": {"kernel": 2, "bias": 1}}
    assert axes["convolutions"][0] == {"kernel": 2, "bias": 1}
    assert axes["head"] == {"kernel": 2}


def test_initial_weights_are_those_of_layers_made_one_by_one():
    rngs = nnx.Rngs(0)
    alone = [nnx.Linear(2, 3, rngs=rngs).kernel[...] for _ in range(3)]
    np.testing.assert_array_equal(state_of(Model(3))["h"]["each"]["kernel"], jnp.stack(alone))
