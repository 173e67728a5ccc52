"""Generation by argmax gives the original's codes and motion, and the corrected loop's."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import ListenerPredictorConfig
from jaxreact.systems.learning2listen.generation import (
    generate,
    in_blocks,
    sliding,
    speaker_branch,
)
from jaxreact.systems.learning2listen.predictor import ListenerPredictor
from jaxreact.systems.sampling import Sampling, truncate
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
    """All codes and their motion; logits of every step where `past` is what it saw, or the codes
    themselves where it is None."""
    made = generate(predictor, coder, motion, audio, Sampling(top_k=1), None, 1)
    codes = made.codes[:, 0]
    found = {"codes": codes, "blocks": in_blocks(coder, codes[:, 4:], 3)}
    if made.motion is not None:
        found["reaction"] = made.motion[:, 0]
    branch = speaker_branch(predictor, motion, audio, 3)
    steps, streams = branch.shape[:2]
    if past is None:
        found["sliding"] = sliding(coder, codes[:, 1:], 3)
        past = codes[:, jnp.arange(steps)[:, None] + jnp.arange(4)]
    seen = jnp.repeat(jnp.arange(steps), streams)
    rows = past.swapaxes(0, 1).reshape(-1, 4)
    logits = predictor.logits(branch.reshape(-1, *branch.shape[2:]), rows, seen)[:, 0]
    found["logits"] = logits.reshape(steps, streams, -1).swapaxes(0, 1)
    return found


def assert_logits(logits: Any, name: str, tolerance: float) -> None:
    """They, how sure the likeliest code is, and what is drawn from them."""
    g = golden(name)
    same(logits, name, "logits", tolerance)
    second, best = np.sort(logits, axis=-1)[..., -2:].transpose(2, 0, 1)
    np.testing.assert_allclose(best - second, g["argmax_margin"], rtol=0, atol=2 * tolerance)
    chances = drawn_among(logits)
    if "nucleus_probs" in g:
        np.testing.assert_allclose(chances, g["nucleus_probs"], rtol=0, atol=tolerance)
    if "probs" in g:  # none of the first four codes
        padded = np.pad(chances, ((0, 0), (4, 0), (0, 0)))
        np.testing.assert_allclose(padded, g["probs"], rtol=0, atol=tolerance)


def drawn_among(logits: Any) -> Any:
    """Probabilities by the options that models have."""
    config = ListenerPredictorConfig()
    sampling = Sampling(top_k=None).of_model(config.temperature, config.top_p)
    return jax.nn.softmax(truncate(jnp.asarray(logits), sampling))


@nnx.jit
def shown(coder: MotionCoder, motion: Any) -> dict[str, Any]:
    """What codes have of a listener's windows after the first, and of one that stands still."""
    windows = motion[:, 32:].reshape(-1, 32, motion.shape[-1])
    made = coder.decode(coder.encode(windows)).reshape(motion[:, 32:].shape)
    return {
        "decoded_ground_truth": made,
        "decoded_zero_window": coder.decode(coder.of_stillness()[None]),
    }


ORIGINAL = {
    "gen_small": (lambda: listener(), lambda: coder(), 2e-5),
    "gen_small_t64": (lambda: listener(), lambda: coder(), 2e-5),
    "gen_full": (lambda: listener(FULL_LISTENER), lambda: coder(FULL_CODER), 1e-4),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ORIGINAL)
def test_as_the_original_does_it(name):
    g, (predictor, model, tolerance) = golden(name), ORIGINAL[name]
    batch, frames, channels = map(int, g["shape"])
    motion = recipe.smooth("gen.speaker", (batch, frames, channels), k=9)
    if "speaker" in g:
        np.testing.assert_array_equal(motion, g["speaker"])
    audio = speech("gen.audio", batch, 4 * frames)
    found = reaction(predictor(), model(), jnp.asarray(motion), audio, jnp.asarray(g["past_codes"]))
    np.testing.assert_array_equal(found["codes"], g["codes"])
    assert_logits(found["logits"], name, tolerance)
    same(found["blocks"], name, "prediction", 1e-4)
    faces = recipe.smooth("gen.listener", (batch, frames, channels), k=9)
    others = shown(model(), jnp.asarray(faces))
    for key in {"decoded_ground_truth", "decoded_zero_window"} & set(g):
        same(others[key], name, key, 5e-5)
    same(found["reaction"][:, 32:], name, "prediction", 1e-4)
    assert np.any(found["reaction"][:, :32]) != g["prediction_first32_all_zero"]


@pytest.mark.parametrize("name", ["gen_small", "gen_small_t64", "gen_full"])
def test_what_codes_are_drawn_among(name):
    g = golden(name)
    np.testing.assert_allclose(drawn_among(g["logits"]), g["nucleus_probs"], rtol=0, atol=1e-6)


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
    assert_logits(found["logits"], name, 2e-5)
    same(found["blocks"], name, "coeffs_blocks", 1e-4)
    same(found["sliding"], name, "coeffs_sliding", 1e-4)
