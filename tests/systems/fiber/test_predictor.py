"""The predictor against the original: every mask case, every mode, inner activations."""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.losses import predictor_loss
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.streams import run
from tests.golden import recipe
from tests.weights import golden, predictor

MODES = {
    "small": {},
    "small_b1": {},
    "small_twisted": {"is_twisted": True},
    "small_soundtok": {"use_wav2vec2_feature": False, "sound_factor": 8},
}
CASES = ["none", "true", "pad1", "sound_only", "partial", "random", "gen0"]
MASKS = ("mask_sound_time", "mask_sp_face", "mask_lt_face")
BLOCK, END_TO_END = 1e-5, 1e-4


@cache
def compiled(mode: str, mixed: bool) -> Predictor:
    return Predictor(predictor("small", mixed_masks=mixed, **MODES[mode]), {}, "golden")


def close(actual, expected, tolerance) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def given(mode: str, case: str) -> tuple[list[Any], list[Any]]:
    """Inputs and masks of a golden case."""
    arrays = golden(f"pred_{mode}")
    inputs = [arrays[name] for name in ("sp_sound", "sp_face", "lt_face")]
    return inputs, [arrays.get(f"{case}.{name}") for name in MASKS]


def compare(logits, mode: str, case: str, stride: int = 1) -> None:
    """The last patch of the logits, and a few of all the others."""
    arrays = golden(f"pred_{mode}")
    last, sparse = arrays[f"{case}.logits"], arrays[f"{case}.logits_all_sub"]
    patch = last.shape[1] * stride
    close(logits[:, -patch:][:, ::stride], last, END_TO_END)
    close(logits[:, :: logits.shape[1] // sparse.shape[1]], sparse, END_TO_END)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("mode", MODES)
def test_logits(mode, case):
    inputs, masks = given(mode, case)
    compare(compiled(mode, mixed=True).logits(*inputs, *masks), mode, case)


@pytest.mark.parametrize("case", CASES)
def test_loss_of_the_logits(case):
    arrays, (inputs, masks) = golden("pred_small"), given("small", case)
    model = compiled("small", mixed=True)
    log_probabilities = jax.nn.log_softmax(model.logits(*inputs, *masks))
    for targets, loss in (("targets", "loss"), ("targets_ignore", "loss_ignore")):
        wanted = arrays[targets]
        picked = np.take_along_axis(
            np.asarray(log_probabilities), np.maximum(wanted, 0)[..., None], axis=-1
        )[..., 0]
        assert -picked[wanted >= 0].mean() == pytest.approx(float(arrays[f"{case}.{loss}"]), 1e-5)


@pytest.mark.parametrize(
    ("mode", "case"),
    [
        *(("small", case) for case in ("sound_only", "partial", "random", "gen0", "one_row_false")),
        ("small_twisted", "random"),
        ("small_soundtok", "random"),
    ],
)
def test_a_sample_does_not_depend_on_its_batch(mode, case):
    inputs, masks = given(mode, case)
    batch = np.asarray(compiled(mode, mixed=False).logits(*inputs, *masks))
    assert np.isfinite(batch).all()
    for sample in range(len(batch)):
        part = slice(sample, sample + 1)
        own = [None if mask is None else mask[part] for mask in masks]
        # One sample alone cannot be mixed: this is the path that equals the original's.
        alone = compiled(mode, mixed=True).logits(*(x[part] for x in inputs), *own)
        close(batch[part], alone, BLOCK)


def test_mixing_matters():
    inputs, masks = given("small", "partial")
    own, mixed = (compiled("small", mix).logits(*inputs, *masks) for mix in (False, True))
    assert np.abs(own - mixed).max() > 0.01


def test_an_empty_past_in_one_sample_is_uniform_attention():
    """The one golden that differs on purpose: the original gives zeros there (behaviour 15)."""
    inputs, masks = given("small", "one_row_false")
    logits = np.asarray(compiled("small", mixed=False).logits(*inputs, *masks))
    original = golden("pred_small")["one_row_false.logits"]
    # Of three samples with two heads each, the last alone has no head with the empty mask (13).
    close(logits[2, -8:], original[2], END_TO_END)
    assert np.abs(logits[0, -8:] - original[0]).max() > 0.01
    # Alone in its batch, the sample takes the original's own uniform path.
    arrays = golden("pred_small_b1")
    inputs, masks = given("small_b1", "one_row_false")
    alone = compiled("small", mixed=False).logits(*inputs, *masks)
    close(alone[:, -8:], arrays["one_row_false.logits"], END_TO_END)


def activations(
    model: ReactPredictor, inputs: list[jax.Array], masks: list[jax.Array]
) -> dict[str, jax.Array]:
    """What the original's hooks recorded, from the same modules of ours."""
    sound, face, past = inputs
    encoder, decoder = model.sp_cm_transformer, model.lt_cm_transformer
    mask = masks[0].reshape(len(face), -1, 2).any(-1)
    embedded = model.wav2vec2_c_proj(sound) + encoder.wpe_sound(jnp.arange(sound.shape[1]))
    pooled = embedded.reshape(len(face), -1, 2, embedded.shape[-1]).max(2)
    time = jnp.arange(face.shape[1])
    faces = encoder.wte_face(face) + encoder.wpw_face(time)
    listener = decoder.wte(past) + decoder.wpe(time)
    fused = encoder(model.wav2vec2_c_proj(sound), face, mask, masks[1])
    speaker = model.speaker(sound, face, masks[0], masks[1])
    output = model.listener(past, speaker, masks[2], masks[1])
    return {
        "sp_cm_transformer.sound_pool": pooled.swapaxes(1, 2),
        "sp_cm_transformer.h_sound": run(encoder.h_sound, pooled, mask, None),
        "sp_cm_transformer.h_face": run(encoder.h_face, faces, masks[1], None),
        "sp_cm_transformer.h": fused,
        "lt_cm_transformer.h_listener": run(decoder.h_listener, listener, masks[2], None),
        "lt_cm_transformer.h_speaker": speaker,
        "lt_cm_transformer.ln_f": output,
    }


@pytest.mark.parametrize("last", [1, 3, 8])
def test_of_the_last_positions_nothing_changes(last):
    model = predictor("small")
    sound, face, past = map(jnp.asarray, given("small", "partial")[0])
    speaker = model.speaker(sound, face)
    whole = model.listener(past, speaker)
    close(model.listener(past, speaker, last=last), whole[:, -last:], BLOCK)


def test_inner_activations():
    arrays, (inputs, masks) = golden("pred_small"), given("small", "partial")
    model = predictor("small", mixed_masks=True)
    found = jax.jit(partial(activations, model))(inputs, masks)
    for name, value in found.items():
        close(value, arrays[f"partial.act.{name}"], BLOCK)


def test_what_is_never_trained_gets_no_gradient():
    sound, face, past = map(jnp.asarray, given("small", "none")[0])
    targets = jnp.asarray(golden("pred_small")["targets"])
    graph, params = nnx.split(predictor("small", n_layer=1))

    def loss(params):
        mask = jnp.ones(targets.shape, bool)
        return predictor_loss(nnx.merge(graph, params), sound, face, past, targets, mask)[0]

    found = nnx.to_pure_dict(jax.jit(jax.grad(loss))(params))
    encoder, decoder = found["sp_cm_transformer"], found["lt_cm_transformer"]
    assert not any(np.asarray(x).any() for x in jax.tree.leaves(encoder["ln_f"]))
    assert not np.asarray(encoder["wte_sound"]["embedding"]).any()
    # PAD, and, since positions share the embedding's class, position 0 (behaviour 25).
    embeddings = [encoder[name] for name in ("wpe_sound", "wte_face", "wpw_face")]
    for table in (*embeddings, decoder["wte"], decoder["wpe"]):
        rows = np.abs(np.asarray(table["embedding"])).sum(-1)
        assert rows[0] == 0
        assert rows[1:].any()
    assert np.asarray(decoder["ln_f"]["scale"]).any()


def test_gradients_are_finite_with_an_empty_past():
    sound, face, past = map(jnp.asarray, given("small", "none")[0])
    graph, params = nnx.split(predictor("small", n_layer=1))
    mask = jnp.zeros((3, 16), bool)

    def loss(params):
        return jnp.sum(nnx.merge(graph, params)(sound, face, past, None, mask, mask) ** 2)

    found = jax.jit(jax.grad(loss))(params)
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(found))


@pytest.mark.parametrize("case", ["none", "partial"])
@pytest.mark.parametrize("mode", ["small", "small_twisted", "small_soundtok"])
def test_causal_patches_see_nothing_later(mode, case):
    inputs, masks = given(mode, case)
    patch, frames = 8, inputs[1].shape[1]
    changed = [np.roll(x, 1, axis=0) for x in inputs]  # other samples' second halves
    for x, original in zip(changed, inputs, strict=True):
        x[:, : x.shape[1] * patch // frames] = original[:, : x.shape[1] * patch // frames]
    for causal in (True, False):
        options = {"block_causal": causal, "dropout": 0.0, **MODES[mode]}
        model = Predictor(predictor("small", **options), {}, "golden")
        difference = np.abs(model.logits(*changed, *masks) - model.logits(*inputs, *masks))
        assert (difference[:, :patch].max() < BLOCK) == causal
        assert difference[:, patch:].max() > 0.01


@pytest.mark.parametrize("mode", ["small", "small_twisted", "small_soundtok"])
def test_masked_positions_do_not_matter(mode):
    inputs, masks = given(mode, "partial")
    sound, face, past = (x.copy() for x in inputs)
    random = np.random.default_rng(0)
    for values, mask in zip((sound, face, past), masks, strict=True):
        assert mask is not None
        other = random.permutation(values.reshape(-1)).reshape(values.shape)
        values[~mask] = other[~mask]
    model = compiled(mode, mixed=False)
    before, after = model.logits(*inputs, *masks), model.logits(sound, face, past, *masks)
    # A masked position's own logits say nothing: its queries are its own content.
    seen = masks[2]
    assert seen is not None
    close(np.asarray(after)[seen], np.asarray(before)[seen], BLOCK)
    assert np.abs(model.logits(sound, face, past) - model.logits(*inputs)).max() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_full_size(case):
    arrays = golden("pred_full")
    sound = recipe.smooth("pred.snd", (2, 512, 512), k=3)
    masks = [arrays.get(f"{case}.{name}") for name in MASKS]
    logits = full_size().logits(sound, arrays["sp_face"], arrays["lt_face"], *masks)
    compare(logits, "full", case, stride=8)


@cache
def full_size() -> Predictor:
    return Predictor(predictor("full", mixed_masks=True), {}, "golden")


@pytest.mark.slow
def test_full_size_inner_activations():
    arrays = golden("pred_full")
    sound = recipe.smooth("pred.snd", (2, 512, 512), k=3)
    masks = [jnp.asarray(arrays[f"partial.{name}"]) for name in MASKS]
    graph, state = nnx.split(predictor("full", mixed_masks=True))
    inputs = [sound, arrays["sp_face"], arrays["lt_face"]]

    @jax.jit
    def run(state, inputs, masks):
        return activations(nnx.merge(graph, state), inputs, masks)

    found = run(state, inputs, masks)
    for name, value in found.items():
        close(value[:, ::17], arrays[f"partial.act.{name}"], END_TO_END)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_embd": 250}, "n_embd 250 is not a multiple of n_head 12"),
        ({"n_layer": 0}, "n_layer 0 is not 1 or more"),
        ({"patch_size": 48}, "block_size 256 is not a multiple of patch_size 48"),
        ({"codebook_size": 3000}, "codebook_size 3000 exceeds vocab_size 2048"),
    ],
)
def test_impossible_configurations(fields, message):
    with pytest.raises(ValueError, match=message):
        PredictorConfig(**fields)
