"""Loaded models know on which devices they are."""

from contextlib import nullcontext

import jax.numpy as jnp
from flax import nnx

from jaxreact.nn import compiled
from jaxreact.nn.compiled import Compiled
from jaxreact.sharding import make_device_mesh


class Toy(nnx.Module):
    config = None

    def __init__(self):
        self.weight = nnx.Param(jnp.ones(3))


def test_what_is_traced_is_told_where_the_model_is_placed(monkeypatch):
    told = []
    monkeypatch.setattr(compiled, "over", lambda place: told.append(place) or nullcontext())
    place = make_device_mesh().replicated
    placed = Compiled(Toy(), {}, "").placed(place)
    assert placed._jit(lambda model, x: model.weight[...] + x)(1.0).tolist() == [2.0] * 3
    assert told == [place]
