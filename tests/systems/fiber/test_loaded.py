"""What `jaxreact.load_*` give: the same as the models inside, checked at the door."""

import inspect
import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import jaxreact
from jaxreact import runs
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.errors import UserError
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from jaxreact.variables import variables_of
from tests.kinds import KINDS
from tests.weights import golden, predictor, tokenizer

ENCODER = AudioEncoderConfig(conv_dim=(4,) * 6 + (512,))


def save(directory: Path, kind: str, model: Any, **extra: Any) -> None:
    runs.save_model(directory, KINDS[kind], model.config, variables_of(model), **extra)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Run directories of golden models: `tokenizer/`, `predictor/` with its encoder, `encoder/`."""
    root = tmp_path_factory.mktemp("models")
    save(root / "tokenizer", "tokenizer", tokenizer("small_fsq"), mean_face=[0.25] * 58)
    save(root / "predictor", "predictor", predictor("small"))
    encoder = AudioEncoder(ENCODER, rngs=nnx.Rngs(0))
    save(root / "encoder", "audio_encoder", encoder)
    save(root / "predictor" / "audio_encoder", "audio_encoder", encoder)
    return root


@pytest.fixture(scope="module")
def loaded(root) -> Predictor:
    return jaxreact.load_predictor(root / "predictor")


def test_a_tokenizer(root):
    model, arrays = jaxreact.load_tokenizer(root / "tokenizer"), golden("tok_small_fsq")
    codes = model.encode(arrays["x"][:, :40])
    np.testing.assert_array_equal(codes, arrays["tokenize"])
    coeffs, emotion = model.decode(codes)
    np.testing.assert_allclose(coeffs, arrays["get_3dmm"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(emotion, arrays["get_emotion"], rtol=0, atol=1e-5)
    assert model.codebook_size == 36
    np.testing.assert_array_equal(model.mean_face, np.full(58, 0.25, np.float32))
    assert model.directory == root / "tokenizer"


def test_models_are_told_apart_by_their_variables(root):
    model = jaxreact.load_tokenizer(root / "tokenizer")
    copy = model.placed(jax.sharding.SingleDeviceSharding(jax.devices()[0]))
    assert copy.fingerprint() == model.fingerprint()
    assert len(copy.fingerprint()) == 16
    np.testing.assert_array_equal(copy.mean_face, model.mean_face)
    other = Tokenizer(tokenizer("small_fsq", seed=1), {}, root)
    assert other.config == model.config
    assert other.fingerprint() != model.fingerprint()


def test_a_predictor(loaded):
    arrays = golden("pred_small")
    inputs = [arrays[name] for name in ("sp_sound", "sp_face", "lt_face")]
    np.testing.assert_allclose(
        loaded.logits(*inputs)[:, -8:], arrays["none.logits"], rtol=0, atol=1e-4
    )
    arrays = golden("gen_small")
    codes = arrays["sp_tokens_plus2"] - 2
    made = loaded.generate(arrays["sound_features"], codes, 1, top_k=1)
    np.testing.assert_array_equal(made[:, 0], arrays["generated_indices"])


def test_overrides_reach_the_model(root):
    arrays = golden("pred_small")
    mixed = jaxreact.load_predictor(root / "predictor", mixed_masks=True)
    masks = [
        arrays[f"partial.{name}"] for name in ("mask_sound_time", "mask_sp_face", "mask_lt_face")
    ]
    logits = mixed.logits(arrays["sp_sound"], arrays["sp_face"], arrays["lt_face"], *masks)
    np.testing.assert_allclose(logits[:, -8:], arrays["partial.logits"], rtol=0, atol=1e-4)


def test_an_encoder_alone_or_inside_a_predictor(root):
    waveform = np.sin(np.arange(3200, dtype=np.float32))[None]
    alone, inside = (
        jaxreact.load_audio_encoder(root / name)(waveform) for name in ("encoder", "predictor")
    )
    assert alone.shape == (1, 9, 512)
    np.testing.assert_array_equal(alone, inside)


def test_directories_without_an_encoder(root, tmp_path):
    with pytest.raises(UserError, match="no audio encoder here; convert one with convert_weights"):
        jaxreact.load_audio_encoder(tmp_path)
    with pytest.raises(UserError, match="kind is 'tokenizer', expected 'audio_encoder'"):
        jaxreact.load_audio_encoder(root / "tokenizer")


def test_a_tokenizer_without_a_mean_face(tmp_path):
    save(tmp_path / "run", "tokenizer", tokenizer("small_fsq"))
    model = jaxreact.load_tokenizer(tmp_path / "run")
    with pytest.raises(UserError, match="without a mean face; convert it again with --mean-face"):
        _ = model.mean_face


unchecked_logits = inspect.unwrap(Predictor.logits)
"""As users call it: in tests the annotations are checked too, and would speak first."""


@pytest.mark.parametrize(
    ("audio", "speaker", "listener", "message"),
    [
        ((2, 32, 512), (2, 16), (2, 8), "audio (2, 32, 512), speaker (2, 16) and listener (2, 8)"),
        ((2, 31, 512), (2, 16), (2, 16), "do not fit: expected (B, 2 N, ...), (B, N), (B, N)"),
        ((2, 34, 512), (2, 17), (2, 17), "17 frames are more than the block of 16"),
        ((1, 32, 512), (2, 16), (2, 16), "audio (1, 32, 512), speaker (2, 16)"),
    ],
)
def test_logits_of_inputs_that_do_not_fit(loaded, audio, speaker, listener, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        unchecked_logits(
            loaded, jnp.zeros(audio), jnp.zeros(speaker, int), jnp.zeros(listener, int)
        )


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("audio_mask", (2, 16), "audio_mask is (2, 16), expected (2, 32)"),
        ("speaker_mask", (1, 16), "speaker_mask is (1, 16), expected (2, 16)"),
        ("listener_mask", (16,), "listener_mask is (16,), expected (2, 16)"),
    ],
)
def test_masks_that_do_not_fit(loaded, name, shape, message):
    tokens = jnp.zeros((2, 16), int)
    with pytest.raises(ValueError, match=re.escape(message)):
        unchecked_logits(
            loaded, jnp.zeros((2, 32, 512)), tokens, tokens, **{name: jnp.ones(shape, bool)}
        )


def test_public_names():
    for name in jaxreact.__all__:
        assert getattr(jaxreact, name)
    with pytest.raises(AttributeError, match="no attribute 'load_model'"):
        _ = jaxreact.load_model  # pyright: ignore[reportAttributeAccessIssue]
