"""The face tokenizer, stage by stage, against what the original computed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from jaxreact.systems.fiber.original_config import read_config
from jaxreact.systems.fiber.tokenizer import POSE, FaceTokenizer, FaceTokenizerConfig
from tests.weights import GOLDEN, golden, tokenizer

NAMES = ["small_fsq", "small_vq", "small_lfq", "full_fsq"]
BLOCK, END_TO_END = 1e-5, 1e-4


@pytest.fixture(scope="module", params=NAMES)
def case(request) -> tuple[FaceTokenizer, dict[str, np.ndarray]]:
    return tokenizer(request.param), golden(f"tok_{request.param}")


@pytest.fixture(scope="module")
def small() -> Tokenizer:
    return Tokenizer(tokenizer("small_fsq"), {}, "golden")


def close(actual, expected, tolerance) -> None:
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def test_every_stage(case):
    model, arrays = case
    x = arrays["x"][:, : model.config.block_size]

    @jax.jit
    def stages(x):
        latent = model.latent(x)
        quantized = model.quantize(latent)
        embedded = model.decoder_to_3dmm.embed(quantized.latent)
        decoded = model.decoder_to_3dmm(embedded), model.decoder_to_emotion(embedded)
        return latent, quantized, *decoded, model(x)

    latent, quantized, coeffs, emotion, whole = stages(x)
    close(latent, arrays["enc_ln_f"], BLOCK)
    np.testing.assert_array_equal(quantized.codes, arrays["indices"])
    close(quantized.latent, arrays["quantised"], BLOCK)
    close(coeffs, arrays["dec3dmm_ln_f"], BLOCK)
    close(emotion, arrays["dec_emo_ln_f"], BLOCK)
    close(whole[0], arrays["recon_3dmm"], BLOCK)
    close(whole[1], arrays["recon_emotion"], BLOCK)
    np.testing.assert_array_equal(whole[2].codes, arrays["indices"])
    assert float(quantized.auxiliary_loss) == float(arrays["quant_loss_eval"].squeeze()) == 0


def test_less_than_a_block(case):
    model, arrays = case
    half = arrays["recon_3dmm_half"].shape[1]
    coeffs, emotion, _ = jax.jit(lambda x: model(x))(arrays["x"][:, :half])
    close(coeffs, arrays["recon_3dmm_half"], BLOCK)
    close(emotion, arrays["recon_emotion_half"], BLOCK)


def test_encoding_and_decoding_whole_clips(case):
    model, arrays = case
    compiled = Tokenizer(model, {}, "golden")
    codes = compiled.encode(arrays["x"][:, : arrays["tokenize"].shape[1]])
    np.testing.assert_array_equal(codes, arrays["tokenize"])
    coeffs, emotion = compiled.decode(codes)
    close(coeffs, arrays["get_3dmm"], END_TO_END)
    close(emotion, arrays["get_emotion"], END_TO_END)


def test_codes_outside_the_codebook(case):
    model, arrays = case
    coeffs, emotion = Tokenizer(model, {}, "golden").decode(arrays["special_indices"])
    close(coeffs, arrays["special_3dmm"], END_TO_END)
    close(emotion, arrays["special_emotion"], END_TO_END)


@pytest.mark.parametrize("name", ["small_fsq", "full_fsq", "small_lfq"])
def test_points_of_all_codes(name):
    quantize, arrays = tokenizer(name).quantize, golden(f"tok_{name}")
    codes = jnp.asarray(arrays["all_indices"].astype(np.int32))
    np.testing.assert_array_equal(quantize.code_to_point(codes), arrays["all_codes"])
    if "all_codes_projected" in arrays:
        stride = 37 if name == "full_fsq" else 1
        projected = quantize.codes_to_latent(codes[None])[0, ::stride]
        close(projected, arrays["all_codes_projected"], BLOCK)
        # What an index beyond the codebook decodes to has an index inside it.
        levels = np.asarray(quantize.levels)
        point = np.asarray(quantize.code_to_point(codes)) * (levels // 2) + levels // 2
        np.testing.assert_array_equal(
            point @ np.asarray(quantize.basis), arrays["codes_to_indices"]
        )


@pytest.mark.parametrize("name", ["small_fsq", "full_fsq"])
def test_bounded_latent_and_its_distance_from_the_rounding_boundary(name):
    model, arrays = tokenizer(name), golden(f"tok_{name}")
    quantize = model.quantize
    bounded = np.asarray(quantize.bound(quantize.project_in(jnp.asarray(arrays["enc_ln_f"]))))
    close(bounded, arrays["bounded"], BLOCK)
    margin = np.abs(bounded - np.floor(bounded) - 0.5).min(-1)
    close(margin, arrays["margin"], BLOCK)


def test_blocks_do_not_see_each_other(small):
    x = golden("tok_small_fsq")["x"][:, :40]
    codes, block = np.asarray(small.encode(x)), small.config.block_size
    changed = x.copy()
    changed[:, block : 2 * block] += 1
    other = np.asarray(small.encode(changed))
    same = (codes == other).all(0)
    assert same[:block].all()
    assert same[2 * block :].all()
    assert not same[block : 2 * block].all()
    coeffs, emotion = small.decode(codes)
    part = small.decode(codes[:, block : 2 * block])
    close(part[0], coeffs[:, block : 2 * block], BLOCK)
    close(part[1], emotion[:, block : 2 * block], BLOCK)


@pytest.mark.parametrize("frames", [0, 7, 9, 41])
def test_frames_that_are_no_blocks_are_refused(small, frames):
    message = f"{frames} frames are not a multiple of the tokenizer's block 8"
    with pytest.raises(ValueError, match=message):
        small.encode(np.zeros((2, frames, 58)))
    with pytest.raises(ValueError, match=message):
        small.decode(np.zeros((2, frames), int))


def test_a_code_depends_on_later_frames_of_its_block():
    latent = jax.jit(tokenizer("small_fsq").latent)
    x = golden("tok_small_fsq")["x"][:, :8]
    changed = x.copy()
    changed[:, -1] += 5
    assert np.abs(latent(x)[:, 0] - latent(changed)[:, 0]).max() > 1e-3


def test_relative_poses_hide_how_a_person_sits_and_show_how_the_head_moves():
    x = jnp.asarray(golden("tok_small_fsq")["x"][:, :8])
    elsewhere = x.at[..., POSE].add(jnp.arange(6.0))
    nodding = x.at[:, 4, POSE].add(0.05)
    latent = jax.jit(tokenizer("small_fsq", relative_pose=True).latent)
    close(latent(elsewhere), latent(x), 1e-4)
    absolute = jax.jit(tokenizer("small_fsq").latent)
    assert np.abs(absolute(elsewhere) - absolute(x)).max() > 1e-2
    moved = np.abs(latent(nodding) - latent(x)).max()
    assert moved > 3 * np.abs(absolute(nodding) - absolute(x)).max()


def test_dropout_needs_a_key():
    model = tokenizer("small_fsq", dropout=0.5)
    x = jnp.asarray(golden("tok_small_fsq")["x"][:, :8])
    run = jax.jit(lambda x, key=None: model(x, key=key)[0])
    close(run(x), golden("tok_small_fsq")["recon_3dmm"], BLOCK)
    one, two = run(x, jax.random.key(0)), run(x, jax.random.key(1))
    assert (np.asarray(one) != np.asarray(two)).all()


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="n_embd 250 is not a multiple of n_head 12"):
        FaceTokenizerConfig(n_embd=250)


def test_the_defaults_are_the_released_tokenizers():
    released = read_config(TOKENIZER, GOLDEN / "checkpoints" / "face_tokenizer_full_fsq.json")
    assert released == (config := FaceTokenizerConfig())
    assert (config.dropout, config.bias, config.init_std) == (0.0, False, 0.02)
    assert (config.quantize_decay, config.quantize_commitment_weight) == (0.8, 1.0)


@pytest.mark.parametrize(("kind", "codes"), [("fsq", 24), ("vq", 64), ("lfq", 64)])
def test_how_many_codes_there_are(kind, codes):
    """FSQ's follow from its levels, whatever the size of a codebook that it does not have."""
    config = FaceTokenizerConfig(
        quantize_type=kind, quantize_levels=(4, 3, 2), quantize_codebook_size=64
    )
    assert config.codebook_size == codes
