"""Generation against the original's whole loop, and what it promises of its samples."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.fiber.config import SPECIAL_TOKENS
from jaxreact.systems.fiber.generation import (
    Sampling,
    draw,
    encode_speaker,
    speaker_windows,
    truncate,
)
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from tests.golden import recipe
from tests.weights import golden, predictor, tokenizer

FRAMES = 48


@cache
def compiled(**changes: Any) -> Predictor:
    """The small predictor: 64 codes named, 16 frames of context, patches of 8."""
    return Predictor(predictor("small", **changes), {}, "golden")


def with_head(factors: dict[int, float], **changes: Any) -> Predictor:
    """As `compiled`, with the weights of some tokens in the head multiplied."""
    model = predictor("small", **changes)
    kernel = model.lm_head.kernel[...]
    for token, factor in factors.items():
        kernel = kernel.at[:, token].multiply(factor)
    model.lm_head.kernel[...] = kernel
    return Predictor(model, {}, "golden")


@pytest.fixture(scope="module")
def clip() -> tuple[jax.Array, jax.Array]:
    """Audio features and codes of three speakers."""
    arrays = golden("gen_small")
    codes = arrays["sp_tokens_plus2"] - SPECIAL_TOKENS
    return jnp.asarray(arrays["sound_features"]), jnp.asarray(codes)


def close(actual, expected, tolerance=1e-4) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def from_face(arrays: dict[str, Any], name: str) -> jax.Array:
    """The speaker's codes, encoded by our tokenizer, equal the original's."""
    model = Tokenizer(tokenizer(name), {}, "golden")
    codes = model.encode(arrays["sp_3dmm"])
    np.testing.assert_array_equal(codes + SPECIAL_TOKENS, arrays["sp_tokens_plus2"])
    return codes


@pytest.mark.parametrize(
    ("name", "vocabulary", "changes"),
    [
        ("gen_small", "full", {}),
        pytest.param("gen_small", "codes", {}, marks=pytest.mark.slow),
        pytest.param("gen_small_b1_patch4", "codes", {"patch_size": 4}, marks=pytest.mark.slow),
    ],
)
def test_the_whole_loop_by_argmax(name, vocabulary, changes):
    """ "codes" computes half-filled windows at half length, "full" cannot: both are the original's,
    which drew no PAD here."""
    arrays = golden(name)
    assert arrays["generated_indices"].min() >= 0
    codes = from_face(arrays, "small_fsq")
    sound = arrays["sound_features"]
    made = compiled(**changes).generate(sound, codes, 2, top_k=1, vocabulary=vocabulary)
    np.testing.assert_array_equal(made[:, 0], arrays["generated_indices"])
    np.testing.assert_array_equal(made[:, 1], arrays["generated_indices"])
    coeffs, emotion = Tokenizer(tokenizer("small_fsq"), {}, "golden").decode(made[:, 0])
    close(coeffs, arrays["pred_3dmm"])
    close(emotion, arrays["pred_emotion"])


def test_sampled_pads_mask_what_follows():
    """PAD among the samples hides that position later, in the original from other samples too."""
    arrays = golden("gen_small_special")
    expected = arrays["generated_indices"]
    assert (expected == -SPECIAL_TOKENS).any()
    assert (expected == 1 - SPECIAL_TOKENS).any()
    codes = from_face(arrays, "small_fsq")
    boost = float(arrays["lm_head_boost"])
    model = with_head({0: boost, 1: boost}, mixed_masks=True)
    made = model.generate(arrays["sound_features"], codes, 1, top_k=1, vocabulary="full")
    np.testing.assert_array_equal(made[:, 0], expected)


@pytest.mark.slow
def test_the_whole_loop_at_released_size():
    """Two clips of 736 frames; PAD is drawn, so the original's mixing of masks shows."""
    arrays = golden("gen_full")
    codes = from_face(arrays, "full_fsq")
    sound = recipe.smooth("gen.feat", (2, 2 * 736 - 1, 512), k=3)
    model = Predictor(predictor("full", seed=3, mixed_masks=True), {}, "golden")
    made = np.asarray(model.generate(sound, codes, 1, top_k=1, vocabulary="full"))[:, 0]
    np.testing.assert_array_equal(made, arrays["generated_indices"])
    coeffs, emotion = Tokenizer(tokenizer("full_fsq"), {}, "golden").decode(made)
    close(coeffs, arrays["pred_3dmm"])
    close(emotion, arrays["pred_emotion"])


@pytest.mark.parametrize("causal", [pytest.param(False, marks=pytest.mark.slow), True])
def test_every_patch_is_what_a_whole_window_says_of_it(clip, causal):
    """Whatever generation leaves out or shares between windows and samples."""
    model = compiled(block_causal=causal)
    length, patch = model.config.block_size, model.config.patch_size
    features, speaker = clip
    codes = np.asarray(model.generate(features, speaker, 1, top_k=1))[:, 0]
    windows = speaker_windows(features, speaker, model.config)
    history = np.pad(codes + SPECIAL_TOKENS, ((0, 0), (length, 0)))
    for number in range(codes.shape[1] // patch):
        past = jnp.asarray(history[:, number * patch : number * patch + length])
        masks = windows.audio_mask[number], windows.mask[number], past > 0
        logits = model.logits(windows.audio[number], windows.tokens[number], past, *masks)
        made = draw(jnp.asarray(logits[:, -patch:]), Sampling(top_k=1), model.config.codes, None)
        expected = codes[:, number * patch :][:, :patch] + SPECIAL_TOKENS
        np.testing.assert_array_equal(made, expected)


def test_windows_are_the_originals():
    arrays = golden("gen_small")
    codes = jnp.asarray(arrays["sp_tokens_plus2"]) - SPECIAL_TOKENS
    windows = speaker_windows(jnp.asarray(arrays["sound_features"]), codes, compiled().config)
    for index in range(int(arrays["n_calls"])):
        call = f"call{index}."
        if call + "sp_face_idx" not in arrays:
            continue
        np.testing.assert_array_equal(windows.tokens[index], arrays[call + "sp_face_idx"])
        np.testing.assert_array_equal(windows.mask[index], arrays[call + "mask_sp_face"])
        np.testing.assert_array_equal(windows.audio[index][..., :4], arrays[call + "sp_sound_idx"])
        np.testing.assert_array_equal(windows.audio_mask[index], arrays[call + "mask_sp_sound"])


def test_generated_codes_stay_in_the_codebook(clip):
    """However much the head prefers PAD, MASK, a dead index and the last index."""
    model = with_head({0: 30, 1: 30, 38: 30, 65: 30}, codebook_size=36)
    codes = np.asarray(model.generate(clip[0], clip[1], 5, top_k=None, key=jax.random.key(0)))
    assert 0 <= codes.min() <= codes.max() < 36


@pytest.mark.parametrize("top_k", [None, 512, 36, 5, 1])
def test_drawn_tokens_stay_in_the_codebook(top_k):
    logits = jnp.zeros((200, 66)).at[:, jnp.array([0, 1, 38, 65])].set(50)
    key = jax.random.key(0)
    tokens = np.asarray(draw(logits, Sampling(1.0, top_k), 36, key))
    assert 0 <= tokens.min() - SPECIAL_TOKENS <= tokens.max() - SPECIAL_TOKENS < 36
    everything = np.asarray(draw(logits, Sampling(1.0, top_k, "full"), 36, key))
    assert set(everything) <= {0, 1, 38, 65}


def test_every_code_can_be_drawn():
    logits = jnp.zeros((4000, 66))
    tokens = draw(logits, Sampling(), 36, jax.random.key(0))
    np.testing.assert_array_equal(np.unique(tokens), np.arange(36) + SPECIAL_TOKENS)


@pytest.mark.slow
def test_a_reaction_depends_on_its_own_clip_and_key_alone(clip):
    """Neither on the clips beside it nor on the number of samples."""
    audio, codes = clip
    model, keys = compiled(), jax.random.split(jax.random.key(7), 3)
    together = np.asarray(model.generate(audio, codes, 4, key=keys))
    for index in range(3):
        part = slice(index, index + 1)
        alone = np.asarray(model.generate(audio[part], codes[part], 2, key=keys[part]))
        np.testing.assert_array_equal(alone, together[part, :2])
    assert len(np.unique(together.reshape(-1, FRAMES), axis=0)) == 12
    same_clip = np.asarray(model.generate(audio[:1], codes[:1], 2, key=keys[1:2]))
    assert (same_clip != together[:1, :2]).any()


def test_one_key_serves_all_clips(clip):
    key = jax.random.key(3)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(3))
    one, each = (compiled().generate(clip[0], clip[1], 4, key=k) for k in (key, keys))
    np.testing.assert_array_equal(one, each)


def test_windows_encoded_at_once_change_nothing(clip):
    model = predictor("small", n_layer=1)

    def encode(count):
        windows = speaker_windows(clip[0], clip[1], model.config)
        return jax.jit(lambda: encode_speaker(model, windows, count))()

    close(encode(1), encode(4), 1e-5)


@pytest.mark.parametrize(
    ("name", "sampling"),
    [
        ("k8_t1.0", Sampling(1.0, 8, "full")),
        ("k8_t0.75", Sampling(0.75, 8, "full")),
        ("k512_t1.0", Sampling(1.0, 512, "full")),
        ("kNone_t1.0", Sampling(1.0, None, "full")),
        ("k1_t1.0", Sampling(1.0, 1, "full")),
    ],
)
def test_probabilities(name, sampling):
    """Per position the original's, but for its threshold, the least k-th logit over the batch
    (behaviour 53): it keeps more than k tokens, in the same proportions."""
    arrays = golden("sampling")
    ours = np.asarray(jax.nn.softmax(truncate(jnp.asarray(arrays["logits"]), sampling)))
    theirs = arrays[f"{name}.probs"]
    if sampling.top_k is None or sampling.top_k >= 66:
        close(ours, theirs, 1e-6)
        return
    kept = ours > 0
    assert (kept.sum(-1) == sampling.top_k).all()
    assert (theirs > 0)[kept].all()
    rescaled = np.where(kept, theirs, 0)
    close(ours, rescaled / rescaled.sum(-1, keepdims=True), 1e-6)
    # One sample of each position has the lowest threshold: there the original keeps k as well.
    same = (kept == (theirs > 0)).all(-1)
    assert same.any(axis=0).all()
    assert not same.all()
    close(ours[same], theirs[same], 1e-6)


def test_tokens_are_drawn_with_their_probabilities():
    logits = jnp.log(jnp.array([0.0, 0.0, 0.5, 0.3, 0.15, 0.05, 0.0]))
    rows = jnp.broadcast_to(logits, (20_000, 7))
    tokens = np.asarray(draw(rows, Sampling(top_k=3), 5, jax.random.key(0)))
    share = np.bincount(tokens, minlength=7) / len(tokens)
    close(share, np.array([0, 0, 50, 30, 15, 0, 0]) / 95, 0.015)
    pair = np.asarray(draw(rows, Sampling(top_k=2), 5, jax.random.key(0)))
    close(np.bincount(pair - 2, minlength=2) / len(pair), np.array([50, 30]) / 80, 0.015)
    hot = np.asarray(draw(rows, Sampling(temperature=0.5), 4, jax.random.key(0)))
    squares = np.array([0.25, 0.09, 0.0225, 0.0025])
    close(np.bincount(hot - 2, minlength=4) / len(hot), squares / squares.sum(), 0.015)


@pytest.mark.slow
def test_a_temperature_takes_the_place_of_the_models_own(clip):
    options = {"num_samples": 2, "key": jax.random.key(0)}
    own = compiled(temperature=0.3).generate(*clip, **options)
    given = compiled().generate(*clip, **options, temperature=0.3)
    np.testing.assert_array_equal(own, given)
    other = compiled(temperature=0.3).generate(*clip, **options, temperature=1.0)
    np.testing.assert_array_equal(other, compiled().generate(*clip, **options))
    assert (np.asarray(own) != np.asarray(other)).any()
    with pytest.raises(ValueError, match="temperature 0 is not positive"):
        predictor("small", temperature=0)


@pytest.mark.parametrize("frames", [5, 13])
def test_any_number_of_frames(clip, frames):
    """Less than a patch, no multiple of it, and less than the context: a clip's beginning."""
    audio, codes = clip[0][:, : 2 * frames - 1], clip[1][:, :frames]
    made = np.asarray(compiled().generate(audio, codes, 1, top_k=1))
    np.testing.assert_array_equal(made[:, 0], golden("gen_small")["generated_indices"][:, :frames])


@pytest.mark.slow
def test_audio_of_two_steps_a_frame(clip):
    """With the original's zero in front, as it is put before 2 T - 1 features. The masks differ by
    that step, which the pooling over pairs forgives (behaviour 23)."""
    audio = jnp.pad(clip[0], ((0, 0), (1, 0), (0, 0)))
    made = compiled().generate(audio, clip[1], 1, top_k=1)
    np.testing.assert_array_equal(made[:, 0], golden("gen_small")["generated_indices"])


@pytest.mark.parametrize("steps", [0, 2 * FRAMES - 2, 2 * FRAMES + 1])
def test_audio_of_another_length_is_refused(clip, steps):
    audio = jnp.zeros((3, steps, 512))
    message = f"{steps} audio steps do not fit 48 frames, which need 96 or 95"
    with pytest.raises(ValueError, match=message):
        compiled().generate(audio, clip[1], 1, top_k=1)


def test_no_frames_are_refused():
    with pytest.raises(ValueError, match="do not fit 0 frames"):
        compiled().generate(jnp.zeros((1, 0, 512)), jnp.zeros((1, 0), jnp.int32), 1, top_k=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature 0.0 is not positive and finite; .* use top_k 1"),
        ({"temperature": float("nan")}, "temperature nan is not positive"),
        ({"top_k": 0}, "top_k 0 is less than 1"),
        ({"key": None}, "a key= is needed unless top_k=1"),
    ],
)
def test_options_that_mean_nothing(clip, options, message):
    with pytest.raises(ValueError, match=message):
        compiled().generate(*clip, **{"key": jax.random.key(0), **options})
