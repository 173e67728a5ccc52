"""The predictor gives the original's numbers, stage by stage, whatever is hidden of the past."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact.errors import UserError
from jaxreact.nn.pooling import pool
from jaxreact.systems.learning2listen.config import (
    ListenerPredictorConfig,
    MotionCoderConfig,
    check_fit,
)
from jaxreact.systems.learning2listen.masks import drawn, original_draws
from jaxreact.systems.learning2listen.predictor import ListenerPredictor, _whole, may_look
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

INDICES = (0, 1, 2, 3, 4, 7, 20)


def given(name: str = "fact_small") -> tuple[jax.Array, jax.Array, jax.Array]:
    """Motion, audio and past codes of a golden file."""
    g = golden(name)
    rows = len(g["listener_past"])
    audio = g["audio_full"] if "audio_full" in g else speech("fact.audio", rows, 256)[:, :160]
    motion = g["speaker_full"] if "speaker_full" in g else g["speaker"][:, :40]
    return jnp.asarray(motion), jnp.asarray(audio), jnp.asarray(g["listener_past"])


@nnx.jit
def logits(model: ListenerPredictor, motion: Any, audio: Any, past: Any, visible: Any) -> Any:
    return model(motion, audio, past, visible)[0]


MODELS = {
    "fact_small": (lambda: listener(), lambda: coder()),
    "fact_small_58": (lambda: listener(**REACT_AUDIO, audio="raw"), lambda: coder(in_dim=58)),
    "fact_full": (lambda: listener(FULL_LISTENER), lambda: coder(FULL_CODER)),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "fact_small")) for name in MODELS],
)
def test_logits_whatever_is_hidden(name):
    model, g = MODELS[name][0](), golden(name)
    tolerance = 5e-5 if name == "fact_full" else 2e-5
    for index in INDICES:
        if f"logits_mask{index}" not in g:
            continue
        made = logits(model, *given(name), jnp.asarray(index))
        same(made, name, f"logits_mask{index}", tolerance)
        chances = jax.nn.log_softmax(made[:, :4])
        loss = -np.mean(np.take_along_axis(np.asarray(chances), g["listener_future"][..., None], 2))
        np.testing.assert_allclose(loss, g[f"loss_mask{index}"], rtol=0, atol=1e-5)
        if index == 4:
            second, best = np.sort(made[:, :4], axis=-1)[..., -2:].transpose(2, 0, 1)
            np.testing.assert_allclose(best - second, g["margin_mask4"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "fact_small")) for name in MODELS],
)
def test_codes_of_the_listeners_past_and_future(name):
    """By the VQ-VAE of the same size."""
    g, model = golden(name), MODELS[name][1]()
    faces = g["listener"] if "listener" in g else recipe.smooth("fact.listener", (2, 64, 56), k=9)
    encode = nnx.jit(lambda model, motion: model.encode(motion))
    for part, frames in (("past", slice(32)), ("future", slice(32, 64))):
        found = encode(model, jnp.asarray(faces[:, frames]))
        np.testing.assert_array_equal(found, g[f"listener_{part}"])


def test_each_clip_may_have_an_index_of_its_own():
    made = logits(listener(), *given(), jnp.array([0, 2, 7]))
    for row, index in enumerate((0, 2, 7)):
        expected = golden("fact_small")[f"logits_mask{index}"][row]
        np.testing.assert_allclose(made[row], expected, rtol=0, atol=2e-5)


@nnx.jit
def stages(model: ListenerPredictor, motion: Any, audio: Any, past: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    heard = pool(audio, 4)
    found["audio_compressor"] = heard.swapaxes(1, 2)
    found["audio_projector"] = model.audio_projector(heard)
    found["motion_projector"] = model.motion_projector(motion)
    heard = model.audio_full_pos_embedding(found["audio_projector"])
    x = model.motion_full_pos_embedding(found["motion_projector"])
    block = model.cm_transformer[0]
    found["cm_transformer.net.0.fn.fn.to_kv"] = block.attn.to_kv(block.ln_1(x))
    found["cm_transformer.net.0.fn.fn.to_q"] = block.attn.to_q(heard)
    found["cm_transformer.net.0"] = x + block.attn(block.ln_1(x), heard)
    found["cm_transformer.net.1"] = x = block(x, heard)
    found["cm_transformer"] = x = model.cm_transformer[1](x, heard)
    squeezed = x
    for number, stage in enumerate(model.post_compressor):
        squeezed = stage(squeezed, False)[0]
        found[f"post_compressor.{number}"] = squeezed.swapaxes(1, 2)
    found["post_compressor"] = squeezed.swapaxes(1, 2)
    found["post_projector"] = speaker = model.speaker(motion, audio)[0]
    fusion = model.cross_modal_layer
    seen = jnp.where(jnp.arange(4)[:, None] >= 2, model.listener_past_tok_embedding(past), 0.0)
    x = jnp.concatenate([model.listener_past_pos_embedding(seen), speaker], axis=1)
    x = found["cross_modal_layer.cross_pos_embedding"] = fusion.cross_pos_embedding(x)
    mask = _whole(may_look(jnp.full(len(past), 2)))
    block = fusion.transformer_layer[0]
    key = "cross_modal_layer.transformer_layer.net"
    found[f"{key}.0"] = x + block.attn(block.ln_1(x), mask)
    found[f"{key}.3"] = x = fusion.transformer_layer[1](block(x, mask), mask)
    found["cross_modal_layer.cross_norm_layer"] = fusion.ln_norm(x)
    found["first"] = model.logits(speaker, past, jnp.asarray(2), only_first=True)
    return found


def test_stages():
    found = stages(listener(), *given())
    known = [name for name in golden("fact_small") if name.startswith("stage_mask2.")]
    assert len(known) > 12
    for name in known:
        same(found[name.removeprefix("stage_mask2.")], "fact_small", name)
    assert found["first"].shape == (3, 1, 24)
    expected = golden("fact_small")["logits_mask2"][:, :1]
    np.testing.assert_allclose(found["first"], expected, rtol=0, atol=1e-5)


def test_by_the_batchs_statistics_in_training():
    made, norms = nnx.jit(lambda model, *x: model(*x, train=True))(
        listener(), *given(), jnp.asarray(2)
    )
    same(made, "fact_small", "logits_mask2_train_mode", 5e-5)
    before = nnx.to_pure_dict(nnx.state(listener().post_compressor))
    moved = norms["post_compressor"]
    assert set(moved) == {0, 1, 2}
    for number, stage in moved.items():
        assert stage["batch_norm"]["batches"] == before[number]["batch_norm"]["batches"] + 1


@pytest.mark.slow
def test_the_branch_that_nothing_goes_through():
    made = nnx.jit(lambda model, *x: model(*x, None)[0])(listener(), *given())
    same(made, "fact_small", "logits_unmasked_branch", 2e-5)


def test_what_is_hidden_is_not_seen():
    motion, audio, past = given()
    hidden = logits(listener(), motion, audio, past, jnp.asarray(2))
    other = past.at[:, :2].set((past[:, :2] + 5) % 24)
    np.testing.assert_array_equal(logits(listener(), motion, audio, other, jnp.asarray(2)), hidden)
    other = past.at[:, 2].set((past[:, 2] + 5) % 24)
    assert jnp.abs(logits(listener(), motion, audio, other, jnp.asarray(2)) - hidden).max() > 0.01


def test_masks_and_their_draws():
    g = golden("mask_draws")
    np.testing.assert_array_equal(original_draws(64), g["first64"])
    for index in (0, 2, 4):
        if f"mask{index}" in golden("fact_small"):
            expected = golden("fact_small")[f"mask{index}"]
            np.testing.assert_array_equal(may_look(jnp.full(3, index)), expected)
    ours = np.bincount(drawn(jax.random.key(0), 21000), minlength=21) / 21000
    np.testing.assert_allclose(ours, g["probability"], rtol=0, atol=0.01)
    for index, mask in zip((*range(5), 9), g["masks"], strict=True):
        np.testing.assert_array_equal(may_look(jnp.array([index]))[0], mask)
    assert _whole(may_look(jnp.array([0])))[0, 0, 4:].all()
    assert _whole(may_look(jnp.array([0])))[0, 0, :, 4:].all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": 201}, "hidden_size 201 is not a multiple of num_attention_heads 10"),
        ({"speaker_heads": 3}, "hidden_size 200 is not a multiple of speaker_heads 3"),
        ({"past_heads": 3}, "hidden_size 200 is not a multiple of past_heads 3"),
        ({"motion_dim": 57}, "motion_dim 57 is not 58, or DECA's 56"),
        ({"audio_dim": 24}, "audio_dim 24 and audio_rate 4 are not those of mel bands"),
        ({"audio": "loud"}, "audio 'loud' is not one of mel, raw"),
        ({"mode": "new"}, "mode 'new' is not one of corrected, original"),
        ({"temperature": 0.0}, r"temperature 0\.0 is not positive"),
        ({"top_p": 1.5}, r"top_p 1\.5 is not above 0"),
    ],
)
@pytest.mark.wrong_arguments
def test_configurations_that_cannot_be(change, words):
    with pytest.raises(ValueError, match=words):
        ListenerPredictorConfig(**change)


def test_models_that_do_not_belong_together():
    with pytest.raises(UserError, match="x: knows 200 codes, the VQ-VAE has 24"):
        check_fit(ListenerPredictorConfig(), MotionCoderConfig(n_embed=24), "x")
    with pytest.raises(UserError, match="x: sees 58 channels, the VQ-VAE's faces have 56"):
        check_fit(ListenerPredictorConfig(), MotionCoderConfig(in_dim=56), "x")
    check_fit(ListenerPredictorConfig(), MotionCoderConfig(), "x")
    check_fit(FULL_LISTENER, MotionCoderConfig(in_dim=56), "x")


@pytest.mark.slow
def test_convolutions_that_see_nothing_beyond_the_ends():
    g = golden("zero_padding_small")
    made = logits(
        listener(conv_padding="zeros"),
        jnp.asarray(g["speaker_full"]),
        given()[1],
        jnp.asarray(g["listener_past"]),
        jnp.asarray(2),
    )
    same(made, "zero_padding_small", "logits_mask2", 2e-5)
