"""The audio encoder against features measured on the original, and against `transformers`."""

from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import load_file

from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig, normalize_waveform
from jaxreact.errors import UserError
from tests.golden import recipe

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL = AudioEncoderConfig(conv_dim=(8, 8, 8, 8, 8, 8, 512))
CONFIGS = {"small": SMALL, "full": AudioEncoderConfig()}
TINY = AudioEncoderConfig(conv_dim=(8, 8, 12), conv_kernel=(10, 3, 2), conv_stride=(5, 2, 2))
TOLERANCE = 1e-5


def noise(clips: int, samples: int) -> jax.Array:
    return jax.random.normal(jax.random.key(0), (clips, samples))


def encoder_from_torch(config: AudioEncoderConfig, tensors: dict[str, np.ndarray]) -> AudioEncoder:
    """By hand, so that these tests do not lean on the converter."""

    def norm(prefix: str) -> dict[str, np.ndarray]:
        return {"scale": tensors[f"{prefix}.weight"], "bias": tensors[f"{prefix}.bias"]}

    layers = {}
    for index in range(len(config.conv_dim)):
        prefix = f"feature_extractor.conv_layers.{index}"
        layers[index] = {"conv": {"kernel": tensors[f"{prefix}.conv.weight"].transpose(2, 1, 0)}}
        if config.conv_bias:
            layers[index]["conv"]["bias"] = tensors[f"{prefix}.conv.bias"]
        if f"{prefix}.layer_norm.weight" in tensors:
            layers[index]["layer_norm"] = norm(f"{prefix}.layer_norm")
    encoder = AudioEncoder(config, rngs=nnx.Rngs(0))
    params = {
        "feature_extractor": {"conv_layers": layers},
        "feature_projection": {"layer_norm": norm("feature_projection.layer_norm")},
    }
    nnx.update(encoder, params)
    return encoder


def recipe_tensors(config: AudioEncoderConfig) -> dict[str, np.ndarray]:
    """The golden weights of the released size, rebuilt from their names."""
    shapes: dict[str, tuple[int, ...]] = {}
    channels = (1, *config.conv_dim)
    for index, kernel in enumerate(config.conv_kernel):
        name = f"feature_extractor.conv_layers.{index}.conv.weight"
        shapes[name] = (channels[index + 1], channels[index], kernel)
    for prefix in ("feature_extractor.conv_layers.0", "feature_projection"):
        shapes[f"{prefix}.layer_norm.weight"] = shapes[f"{prefix}.layer_norm.bias"] = (512,)
    return {name: recipe.det_wav2vec(name, shape) for name, shape in shapes.items()}


@cache
def golden_encoder(size: str):
    """`waveform -> (before the last norm, features)`, jitted, with the golden weights."""
    config = CONFIGS[size]
    if size == "small":
        tensors = load_file(GOLDEN / "checkpoints" / "wav2vec2_small_feature.safetensors")
    else:
        tensors = recipe_tensors(config)
    graphdef, params = nnx.split(encoder_from_torch(config, tensors))

    @jax.jit
    def apply(waveform):
        encoder = nnx.merge(graphdef, params)
        return encoder.feature_extractor(normalize_waveform(waveform)), encoder(waveform)

    return apply


CLIPS = ("min", "1s", "256f", "736f", "30s")


@pytest.mark.parametrize(
    ("size", "clip"),
    [
        *(("small", clip) for clip in CLIPS),
        *(("full", clip) for clip in CLIPS[:-1]),
        pytest.param("full", "30s", marks=pytest.mark.slow),
    ],
)
def test_features_are_the_originals(size, clip):
    golden = np.load(GOLDEN / f"wav2vec2_{size}.npz")
    samples = int(golden[f"{clip}.n_samples"])
    waveform = recipe.audio(f"wav.{clip}", samples) * 0.5 + 0.01
    before, features = jax.tree.map(np.asarray, golden_encoder(size)(waveform[None]))

    frames = int(golden[f"{clip}.n_frames"])
    assert features.shape == (1, frames, 512)
    assert CONFIGS[size].frames(samples) == frames
    every = 97 if frames > 100 else 1
    expected = golden[f"{clip}.conv_pre_layernorm"]
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(before[:, ::every], expected, rtol=0, atol=TOLERANCE * scale)
    np.testing.assert_allclose(
        features[:, ::every], golden[f"{clip}.extract_features"], rtol=1e-5, atol=TOLERANCE
    )
    checksum = [features.sum(dtype=np.float64), np.abs(features).sum(dtype=np.float64)]
    np.testing.assert_allclose(checksum, golden[f"{clip}.checksum"], rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("clip", ["min", "1s"])
def test_waveform_normalisation_is_the_originals(clip):
    golden = np.load(GOLDEN / "wav2vec2_small.npz")
    ours = normalize_waveform(jax.numpy.asarray(golden[f"{clip}.audio"])[None])
    np.testing.assert_allclose(ours, golden[f"{clip}.input_values"], rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("norm", "bias"), [("layer", True), ("layer", False), ("group", True)])
def test_both_norms_agree_with_transformers(norm, bias):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    reference_config = transformers.Wav2Vec2Config(
        conv_dim=(16, 16, 24),
        conv_kernel=(10, 3, 2),
        conv_stride=(5, 2, 2),
        conv_bias=bias,
        num_feat_extract_layers=3,
        feat_extract_norm=norm,
        do_stable_layer_norm=norm == "layer",
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        layer_norm_eps=1e-3,
    )
    torch.manual_seed(0)
    reference = transformers.Wav2Vec2Model(reference_config).eval()
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    config = AudioEncoderConfig.from_wav2vec2(reference_config, do_normalize=False)
    tensors = {name: tensor.numpy() for name, tensor in reference.state_dict().items()}
    encoder = encoder_from_torch(config, tensors)
    waveform = noise(2, 3001)
    with torch.no_grad():
        expected = reference(torch.from_numpy(np.array(waveform))).extract_features.numpy()
    np.testing.assert_allclose(encoder(waveform), expected, rtol=0, atol=TOLERANCE)


def test_clips_of_a_batch_do_not_touch_each_other():
    encoder = AudioEncoder(TINY, rngs=nnx.Rngs(0))
    waveform = noise(2, 4000) * jnp.array([[1.0], [100.0]])
    np.testing.assert_allclose(encoder(waveform)[:1], encoder(waveform[:1]), atol=TOLERANCE)


def test_silence_and_loudness():
    encoder = AudioEncoder(TINY, rngs=nnx.Rngs(0))
    assert jnp.isfinite(encoder(jnp.zeros((1, 800)))).all()
    waveform = noise(1, 4000)
    np.testing.assert_allclose(encoder(waveform), encoder(1000 * waveform + 5), atol=1e-3)


@pytest.mark.slow
def test_gradients_are_finite_even_for_silence():
    graphdef, params = nnx.split(AudioEncoder(TINY, rngs=nnx.Rngs(0)))
    loss = lambda params, x: nnx.merge(graphdef, params)(x).sum()  # noqa: E731
    gradients = jax.grad(loss, argnums=(0, 1))(params, jnp.zeros((1, 800)))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))


def test_an_untrained_encoder_neither_dies_out_nor_explodes():
    encoder = AudioEncoder(AudioEncoderConfig(conv_dim=(64,) * 7), rngs=nnx.Rngs(0))
    hidden = encoder.feature_extractor(noise(1, 8000))
    assert 0.1 < float(hidden.std()) < 10
    between_frames = float(encoder.feature_projection(hidden).std(axis=1).mean())
    assert between_frames > 0.1


def test_only_parameters_in_the_module():
    _, _, rest = nnx.split(AudioEncoder(TINY, rngs=nnx.Rngs(0)), nnx.Param, ...)
    assert not jax.tree.leaves(rest)


def test_too_short_a_waveform_is_a_user_error():
    encoder = AudioEncoder(AudioEncoderConfig(conv_dim=(4,) * 7), rngs=nnx.Rngs(0))
    assert encoder(jnp.zeros((1, 400))).shape == (1, 1, 4)
    with pytest.raises(UserError, match=r"399 samples.*at least 400"):
        encoder(jnp.zeros((1, 399)))


@pytest.mark.parametrize("samples", [0, 1, 399, 400, 719, 720, 163_840, 471_040, 480_000])
def test_frames_follow_receptive_field_and_hop(samples):
    config = AudioEncoderConfig()
    assert (config.receptive_field, config.hop) == (400, 320)
    assert config.frames(samples) == max(0, (samples - 400) // 320 + 1)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"conv_kernel": (10, 3)}, "equally long"),
        ({"feat_extract_norm": "batch"}, "'batch'"),
        ({"feat_extract_activation": "relu"}, "'relu'"),
    ],
)
@pytest.mark.wrong_arguments
def test_a_contradictory_configuration_is_a_user_error(change, named):
    with pytest.raises(UserError, match=named):
        AudioEncoderConfig(**change)
