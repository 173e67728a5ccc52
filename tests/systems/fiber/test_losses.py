"""What the losses count, and what they do not."""

from unittest.mock import Mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.losses import (
    FACE_GROUPS,
    POSE_OFFSET_SHARE,
    face_losses,
    past_masks,
    predictor_loss,
    relative_pose_losses,
    tokenizer_loss,
)
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.training.codebook import code_share, codebook_use
from tests.weights import golden, predictor, tokenizer


def test_face_groups_partition_the_coefficients():
    positions = [i for group in FACE_GROUPS.values() for i in range(58)[group]]
    assert positions == list(range(58))
    assert len(FACE_GROUPS) == 13


def test_face_losses_by_hand():
    target = jnp.zeros((2, 3, 58))
    predicted = target.at[..., 0].set(-5).at[0, 0, 52].set(18)
    losses = face_losses(predicted, target)
    assert float(losses["brow"]) == pytest.approx(5 / 5)
    assert float(losses["rotation"]) == pytest.approx(18 / (2 * 3 * 3))
    assert sum(map(float, losses.values())) == pytest.approx(2)


def test_relative_pose_losses_compare_movement():
    target = jnp.zeros((2, 4, 58)).at[:, :2, 52].set(0.5)
    elsewhere = target.at[..., 52].add(3)
    losses = relative_pose_losses(elsewhere, target)
    assert float(losses["rotation"]) == pytest.approx(POSE_OFFSET_SHARE * 3 / 3, abs=1e-6)
    still = relative_pose_losses(jnp.zeros_like(target), target)
    assert float(still["rotation"]) == pytest.approx(0.25 / 3, rel=0.01)
    assert float(relative_pose_losses(target + 1, target)["brow"]) == pytest.approx(1)


def test_weights_of_the_tokenizers_loss():
    arrays, model = golden("train_tok_small_fsq_phase1"), tokenizer("small_fsq")
    coeffs = jnp.asarray(arrays["trg_3dmm"].reshape(-1, 8, 58))
    emotion = jnp.asarray(arrays["trg_emotion"].reshape(-1, 8, 25))

    def loss(model, **weights):
        value, (metrics, _) = jax.jit(
            lambda: tokenizer_loss(model, coeffs, emotion, train=True, **weights)
        )()
        return float(value), {name: float(part) for name, part in metrics.items()}

    plain, parts = loss(model)
    heavy, _ = loss(model, emotion_weight=3.0, rotation_weight=5.0)
    expected = plain + 2 * parts["emotion_loss"] + 4 * parts["face/rotation"]
    assert heavy == pytest.approx(expected)
    relative = tokenizer("small_fsq", relative_pose=True)
    _, moved = loss(relative)
    whole = face_losses(jax.jit(lambda: relative(coeffs)[0])(), coeffs)
    assert moved["face/rotation"] < 0.9 * float(whole["rotation"])
    assert moved["face/brow"] == pytest.approx(float(whole["brow"]))


@pytest.mark.parametrize("name", ["small_fsq", "small_vq", "small_lfq"])
def test_parts_of_the_tokenizers_loss(name):
    arrays, model = golden(f"train_tok_{name}_phase1"), tokenizer(name)
    coeffs = jnp.asarray(arrays["trg_3dmm"].reshape(-1, 8, 58))
    emotion = jnp.asarray(arrays["trg_emotion"].reshape(-1, 8, 25))

    @jax.jit
    def losses():
        whole, (metrics, _) = tokenizer_loss(
            model, coeffs, emotion, train=True, quantize_weight=0.5
        )
        only, _ = tokenizer_loss(model, coeffs, emotion, train=True, emotion_only=True)
        return whole, only, metrics

    whole, only, metrics = losses()
    for ours, theirs in (
        ("face_loss", "part.blendshape"),
        ("emotion_loss", "part.emotion"),
        ("quantizer_loss", "part.quant"),
    ):
        assert float(metrics[ours]) == pytest.approx(float(arrays[theirs].squeeze()), abs=1e-5)
    assert float(only) == float(metrics["emotion_loss"])
    parts = metrics["face_loss"] + 0.5 * metrics["quantizer_loss"] + metrics["emotion_loss"]
    assert float(whole) == pytest.approx(float(parts))


def test_codebook_use():
    use = codebook_use(code_share(jnp.array([[0, 0], [3, 3]]), 8))
    assert {name: float(value) for name, value in use.items()} == {
        "codebook/use": 0.25,
        "codebook/perplexity": pytest.approx(2),
    }
    assert float(
        codebook_use(code_share(jnp.arange(8), 8))["codebook/perplexity"]
    ) == pytest.approx(8)


def test_past_masks_keep_the_end_of_each_sample():
    masks = np.asarray(past_masks(jax.random.key(0), 2000, 16, 1.0))
    kept = masks.sum(1)
    for mask, count in zip(masks, kept, strict=True):
        assert mask[16 - count :].all()
    # k is uniform over 0 .. 15, and k = 0 keeps all 16 (behaviour 41).
    counts = np.bincount(kept, minlength=17)
    assert counts[0] == 0
    assert counts[1:].min() > 80
    assert counts[1:].max() < 180


def test_past_masks_hide_whole_batches_or_nothing():
    keys = jax.random.split(jax.random.key(1), 1000)
    masks = np.asarray(jax.vmap(lambda key: past_masks(key, 4, 256, 0.3))(keys))
    masked = ~masks.all((1, 2))
    assert masked.mean() == pytest.approx(0.3, abs=0.05)
    rows = ~masks[masked].all(2)
    assert rows.mean() == pytest.approx(255 / 256, abs=0.01)
    assert np.asarray(past_masks(keys[0], 4, 16, 0.0)).all()


PROBABILITIES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.5, 0.3, 0.2]]


def fixed_loss(
    targets, mask=(True,) * 4, block_causal=False
) -> tuple[float, dict[str, float], Mock]:
    """Loss and metrics of a model that always gives `PROBABILITIES`, and the model."""
    config = PredictorConfig(block_size=4, patch_size=2, n_embd=12, block_causal=block_causal)
    logits = jnp.log(jnp.array([PROBABILITIES]))
    model = Mock(spec=ReactPredictor, return_value=logits, config=config)
    tokens = jnp.array([targets])
    audio = jnp.zeros((1, 8, 512))
    loss, metrics = predictor_loss(model, audio, tokens, tokens, tokens, jnp.array([mask]))
    return float(loss), {name: float(value) for name, value in metrics.items()}, model


def test_cross_entropy_by_hand():
    loss, metrics, _ = fixed_loss([0, 0, 2, 1])
    assert loss == pytest.approx(-np.log([0.7, 0.1, 0.4, 0.3]).mean(), rel=1e-5)
    assert metrics["accuracy"] == 0.5
    assert metrics["new_patch_loss"] == pytest.approx(-np.log([0.4, 0.3]).mean(), rel=1e-5)


def test_targets_of_minus_one_do_not_count():
    loss, metrics, _ = fixed_loss([-1, 0, -1, 0])
    assert loss == pytest.approx(-np.log([0.1, 0.5]).mean(), rel=1e-5)
    assert metrics["accuracy"] == 0.5
    assert metrics["new_patch_loss"] == pytest.approx(-np.log(0.5), rel=1e-5)
    nothing, metrics, _ = fixed_loss([-1] * 4)
    assert nothing == metrics["accuracy"] == metrics["new_patch_loss"] == 0


@pytest.mark.parametrize(
    ("mask", "counted"),
    [([0, 0, 0, 1], [0.4, 0.3]), ([0, 1, 0, 0], [0.7, 0.1, 0.4, 0.3]), ([0, 0, 0, 0], [1.0])],
)
def test_causal_patches_without_anything_to_see_do_not_count(mask, counted):
    loss, _, _ = fixed_loss([0, 0, 2, 1], np.array(mask, bool), block_causal=True)
    assert loss == pytest.approx(-np.log(counted).mean(), rel=1e-5)


def test_one_mask_hides_face_past_and_sound():
    mask = [False, True, False, True]
    _, _, model = fixed_loss([0, 0, 0, 0], mask)
    audio, speaker, listener = model.call_args.args[3:]
    np.testing.assert_array_equal(speaker, [mask])
    np.testing.assert_array_equal(listener, [mask])
    np.testing.assert_array_equal(audio, [np.repeat(mask, 2)])


@pytest.mark.parametrize("targets", ["targets", "targets_ignore"])
def test_the_predictors_loss_is_the_originals(targets):
    arrays = golden("pred_small")
    inputs = [jnp.asarray(arrays[name]) for name in ("sp_sound", "sp_face", "lt_face", targets)]
    mask = jnp.asarray(arrays["partial.mask_sp_face"])
    model = predictor("small", mixed_masks=True)
    loss, _ = jax.jit(lambda *given: predictor_loss(model, *given))(*inputs, mask)
    expected = float(arrays["partial." + targets.replace("targets", "loss")])
    assert float(loss) == pytest.approx(expected, abs=1e-5)
