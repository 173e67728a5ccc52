"""FIBER that knows who listens, small enough for tests."""

import dataclasses
from functools import cache

import jax.numpy as jnp
import numpy as np
from flax import nnx

from jaxreact import runs
from jaxreact.audio_features.load import Encoder
from jaxreact.audio_features.wav2vec2 import AudioEncoder
from jaxreact.systems.fiber.kinds import PREDICTOR
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.system import Fiber
from jaxreact.variables import variables_of
from tests.streaming.systems import CONTENT, SMALL_ENCODER
from tests.weights import predictor, tokenizer


@cache
def knowing_predictor() -> ReactPredictor:
    """The small golden predictor, with weights for traits too that change what it says."""
    model = predictor("small", n_layer=1, codebook_size=36)
    config = dataclasses.replace(model.config, traits=True)
    draw, width = np.random.default_rng(5), config.n_embd
    person = {
        "scores": {"kernel": jnp.asarray(draw.normal(size=(5, width)), jnp.float32)},
        "unknown": jnp.asarray(draw.normal(size=width), jnp.float32),
    }
    return runs.build(PREDICTOR, config, {**variables_of(model), "listener_traits": person})


@cache
def knowing_fiber() -> Fiber:
    """Blocks and patches of 8 frames, windows of 16, as `tests.streaming.systems.fiber`."""
    return Fiber(
        Tokenizer(tokenizer("small_fsq", n_layer=1), CONTENT, "tokenizer"),
        Predictor(knowing_predictor(), {}, "predictor"),
        Encoder(AudioEncoder(SMALL_ENCODER, rngs=nnx.Rngs(0)), {}, "encoder"),
    )
