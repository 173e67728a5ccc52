"""Generation by argmax gives the original's codes and motion, and the corrected loop's."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.generation import (
    generate,
    in_blocks,
    sliding,
    speaker_branch,
)
from jaxreact.systems.learning2listen.predictor import ListenerPredictor
from jaxreact.systems.sampling import Sampling
from tests.golden.learning2listen import recipe
from tests.systems.learning2listen.models import (
    FULL_CODER,
    FULL_LISTENER,
    REACT_AUDIO,
    coder,
    golden,
    listener,
    same,
    speech,
)

CORRECTED = {
    "gen_small_corrected": ({}, {}),
    "gen_small_58_corrected": ({"in_dim": 58}, {**REACT_AUDIO, "audio": "raw"}),
}


@nnx.jit
def reaction(
    predictor: ListenerPredictor, coder: MotionCoder, motion: Any, audio: Any, past: Any
) -> dict[str, Any]:
    """All codes and their motion; logits of every step where `past` is what it saw."""
    codes = generate(predictor, coder, motion, audio, Sampling(top_k=1), None, 1)[:, 0]
    found = {"codes": codes, "blocks": in_blocks(coder, codes[:, 4:], 3)}
    if past is None:
        found["sliding"] = sliding(coder, codes[:, 1:], 3)
    else:
        branch = speaker_branch(predictor, motion, audio, 3)
        steps, streams = branch.shape[:2]
        seen = jnp.repeat(jnp.arange(steps), streams)
        rows = past.swapaxes(0, 1).reshape(-1, 4)
        logits = predictor.logits(branch.reshape(-1, *branch.shape[2:]), rows, seen)
        found["logits"] = logits[:, 0].reshape(steps, streams, -1).swapaxes(0, 1)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gen_small", "gen_small_t64"])
def test_as_the_original_does_it(name):
    g = golden(name)
    batch, frames = g["speaker"].shape[:2]
    audio = speech("gen.audio", batch, 4 * frames)
    motion, past = jnp.asarray(g["speaker"]), jnp.asarray(g["past_codes"])
    found = reaction(listener(), coder(), motion, audio, past)
    np.testing.assert_array_equal(found["codes"], g["codes"])
    same(found["logits"], name, "logits", 2e-5)
    same(found["blocks"], name, "prediction", 1e-4)


@pytest.mark.parametrize(
    "name", ["gen_small_58_corrected", pytest.param("gen_small_corrected", marks=pytest.mark.slow)]
)
def test_as_it_is_corrected(name):
    g, (of_coder, of_listener) = golden(name), CORRECTED[name]
    batch, frames = g["speaker"].shape[:2]
    audio = g["audio"] if "audio" in g else speech("gen.audio", batch, 4 * frames)
    before = 32 * audio.shape[1] // frames
    motion = jnp.pad(g["speaker"], ((0, 0), (32, 0), (0, 0)))
    audio = jnp.pad(audio, ((0, 0), (before, 0), (0, 0)))
    predictor = listener(mode="corrected", **of_listener)
    found = reaction(predictor, coder(code_layout="time", **of_coder), motion, audio, None)
    np.testing.assert_array_equal(found["codes"], g["codes"])
    same(found["blocks"], name, "coeffs_blocks", 1e-4)
    same(found["sliding"], name, "coeffs_sliding", 1e-4)


@pytest.mark.slow
def test_the_released_size():
    g = golden("gen_full")
    motion = jnp.asarray(recipe.smooth("gen.speaker", (2, 96, 56), k=9))
    audio = speech("gen.audio", 2, 4 * 96)
    predictor, model = listener(FULL_LISTENER), coder(FULL_CODER)
    found = reaction(predictor, model, motion, audio, jnp.asarray(g["past_codes"]))
    np.testing.assert_array_equal(found["codes"], g["codes"])
    same(found["logits"], "gen_full", "logits", 1e-4)
    same(found["blocks"], "gen_full", "prediction", 1e-4)
