"""FIBER online: at each step the model sees what it was trained to see at that moment."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.fiber.config import PAD, SPECIAL_TOKENS
from jaxreact.systems.online import part
from jaxreact.systems.system import Speaker
from tests.streaming.systems import KEY, MEAN, fiber, person

FRAMES, WINDOW, BLOCK = 28, 16, 8


def features_of(system, who, step: int) -> np.ndarray:
    """Two of each frame, the first of all lacking."""
    state = system.start(1, key=KEY)
    made = []
    for begin in range(-step, FRAMES, step):
        given = part(who.whole, begin, step)
        before = state
        state, _ = system.advance(state, given)
        made.append(np.asarray(state.features)[0, -2 * step :])
        assert (before.frames[0], state.frames[0]) == (begin, begin + step)
    return np.concatenate(made[1:])


def codes_of(system, coeffs: np.ndarray) -> np.ndarray:
    """Of the last window of mean-subtracted faces, in blocks that end where they end; what begins
    before they do is filled up by the first."""
    missing = -len(coeffs) % BLOCK
    filled = np.concatenate([coeffs[:1]] * missing + [coeffs])
    return np.asarray(system.tokenizer.encode(filled[None]))[0, missing:][-WINDOW:]


@pytest.mark.parametrize(("step", "block_causal"), [(2, True), (8, False)])
def test_every_window_is_the_one_before_its_step(step, block_causal):
    """Against windows made by hand, the likeliest codes, and the decoded first frames of each
    patch. Of steps shorter than blocks the listener's codes are those of the faces shown."""
    system, who = fiber(block_causal=block_causal).in_steps(step), person(FRAMES)
    made = system.react(who.whole, 1, causal=True, top_k=1)
    features = features_of(system, who, step)
    drawn, shown = np.zeros(0, int), np.zeros((0, 58), np.float32)
    for end in range(0, FRAMES, step):
        audio = np.zeros((1, 2 * WINDOW, 512), np.float32)
        heard = np.zeros((1, 2 * WINDOW), bool)
        tokens = np.full((1, WINDOW), PAD)
        listener = tokens.copy()
        if end:
            codes = codes_of(system, who.coeffs[:end] - MEAN)
            past = drawn[-WINDOW:] if step == BLOCK else codes_of(system, shown)
            tokens[0, -len(codes) :] = codes + SPECIAL_TOKENS
            listener[0, -len(codes) :] = past + SPECIAL_TOKENS
            known = features[: 2 * end][-2 * WINDOW :]
            audio[0, -len(known) :] = known
            heard[0, -len(known) :] = True
            heard[0, -2 * end : -2 * end + 1] = 2 * end > 2 * WINDOW
        logits = system.predictor.logits(
            audio, tokens, listener, heard, tokens != PAD, listener != PAD
        )
        codes = np.asarray(logits)[0, -BLOCK:, SPECIAL_TOKENS : SPECIAL_TOKENS + 36].argmax(-1)
        coeffs, emotion = system.tokenizer.decode(codes[None])
        drawn = np.append(drawn, codes[:step])
        shown = np.concatenate([shown, np.asarray(coeffs)[0, :step]])
        count = min(step, FRAMES - end)
        np.testing.assert_allclose(
            np.asarray(made.coeffs)[0, 0, end : end + count],
            np.asarray(coeffs)[0, :count] + MEAN,
            rtol=0,
            atol=1e-5,
        )
        np.testing.assert_allclose(
            np.asarray(made.emotion)[0, 0, end : end + count],
            np.asarray(emotion)[0, :count],
            rtol=0,
            atol=1e-5,
        )


def test_patches_shorter_than_blocks():
    """A patch of 4 frames is decoded in a block with those before it."""
    system, who = fiber(patch_size=4), person(16)
    assert system.step == 4
    made = system.react(who.whole, 2, key=KEY, causal=True)
    assert np.asarray(made.coeffs).shape == (1, 2, 16, 58)
    state, pieces = system.start(1, 2, key=KEY), []
    for begin in range(-4, 12, 4):
        state, piece = system.advance(state, part(who.whole, begin, 4))
        pieces.append(piece.coeffs)
    whole = np.concatenate(pieces, axis=2)
    np.testing.assert_allclose(np.asarray(made.coeffs), whole, rtol=0, atol=1e-6)


def test_streams_have_temperatures_of_their_own():
    """Rows of two states; each answers as it would alone."""
    system, who = fiber(), person(8)
    states = [system.start(1, 3, key=KEY, temperature=t) for t in (0.1, 5.0)]
    both = jax.tree.map(lambda *x: jnp.concatenate(x), *states)
    _, together = system.advance(both, Speaker(np.zeros((2, 8, 58)), np.zeros((2, 8 * 640))))
    for row, state in enumerate(states):
        _, alone = system.advance(state, part(who.whole, -8, 8))
        np.testing.assert_allclose(together.emotion[row], alone.emotion[0], rtol=0, atol=1e-5)
    first, second = together.emotion
    assert np.abs(first - second).max() > 1e-2
