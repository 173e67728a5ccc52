"""wav2vec2 weights from files, directories and the hub's names, without a network."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from jaxreact import runs
from jaxreact.audio_features.conversion import convert_wav2vec2, load_wav2vec2
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.errors import UserError

GOLDEN = Path(__file__).parents[1] / "golden"
FEATURES = GOLDEN / "checkpoints" / "wav2vec2_small_feature.safetensors"


def small_model(directory: Path, **change) -> Path:
    """A local Hugging Face model around the golden weights, transformer layers included."""
    directory.mkdir()
    fields = {"model_type": "wav2vec2", "conv_dim": [8] * 6 + [512], "num_feat_extract_layers": 7}
    (directory / "config.json").write_text(json.dumps(fields | change))
    tensors = {f"wav2vec2.{name}": tensor for name, tensor in load_file(FEATURES).items()}
    tensors["wav2vec2.encoder.layers.0.attention.k_proj.weight"] = np.zeros((4, 4), np.float32)
    tensors["wav2vec2.masked_spec_embed"] = tensors["lm_head.bias"] = np.zeros(4, np.float32)
    save_file(tensors, directory / "model.safetensors")
    return directory


@pytest.mark.parametrize("source", ["directory", "file", "bin", "predictor"])
def test_features_are_the_originals(tmp_path, source):
    if source == "predictor":
        path = GOLDEN / "checkpoints" / "react_predictor_small.ckpt"
    elif source == "file":
        path = FEATURES
    else:
        path = small_model(tmp_path / "model")
    if source == "bin":
        torch = pytest.importorskip("torch")
        weights = path / "model.safetensors"
        state = {name: torch.from_numpy(x) for name, x in load_file(weights).items()}
        torch.save(state, path / "pytorch_model.bin")
        weights.unlink()
    convert_wav2vec2(str(path), tmp_path / "run")
    encoder, _ = runs.load_model(tmp_path / "run", AUDIO_ENCODER)
    golden = np.load(GOLDEN / "wav2vec2_small.npz")
    ours = np.asarray(encoder(jnp.asarray(golden["1s.audio"][None])))
    np.testing.assert_allclose(ours, golden["1s.extract_features"], rtol=1e-5, atol=1e-5)


def test_a_layer_norm_model_as_transformers_saves_it(tmp_path):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.Wav2Vec2Config(
        conv_dim=(16, 24),
        conv_kernel=(10, 3),
        conv_stride=(5, 2),
        conv_bias=True,
        num_feat_extract_layers=2,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        vocab_size=8,
    )
    torch.manual_seed(0)
    model = transformers.Wav2Vec2ForCTC(config).eval()
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "preprocessor_config.json").write_text('{"do_normalize": false}')
    convert_wav2vec2(str(tmp_path / "model"), tmp_path / "run")
    encoder, _ = runs.load_model(tmp_path / "run", AUDIO_ENCODER)
    waveform = np.random.default_rng(0).standard_normal((1, 2000)).astype(np.float32)
    with torch.no_grad():
        expected = model.wav2vec2(torch.from_numpy(waveform)).extract_features.numpy()
    np.testing.assert_allclose(encoder(jnp.asarray(waveform)), expected, rtol=1e-5, atol=1e-5)


def test_normalisation_is_on_unless_the_preprocessor_says_otherwise(tmp_path):
    directory = small_model(tmp_path / "model")
    assert load_wav2vec2(directory)[0].do_normalize
    (directory / "preprocessor_config.json").write_text('{"do_normalize": false}')
    assert not load_wav2vec2(directory)[0].do_normalize


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model_type": "bert"}, "'bert' model, not a wav2vec2"),
        ({"conv_dim": [8] * 5 + [9, 512]}, r"conv_layers.5.conv.weight: shape \(8, 8, 2\)"),
        ({"feat_extract_activation": "relu"}, "'relu'"),
        (
            {"feat_extract_norm": "layer"},
            "lacks 12 tensors of a wav2vec2 encoder, first .*conv_layers.1.layer_norm",
        ),
    ],
)
@pytest.mark.wrong_arguments
def test_what_does_not_fit_is_named(tmp_path, change, reason):
    with pytest.raises(UserError, match=reason):
        load_wav2vec2(small_model(tmp_path / "model", **change))


def test_a_directory_without_weights(tmp_path):
    directory = small_model(tmp_path / "model")
    (directory / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"needs config\.json and one of"):
        load_wav2vec2(directory)


def test_a_file_without_wav2vec2():
    with pytest.raises(UserError, match="holds no wav2vec2"):
        load_wav2vec2(GOLDEN / "checkpoints" / "face_tokenizer_small_fsq.ckpt")


def test_strides_of_an_unusual_model_have_to_be_given(tmp_path):
    tensors = {k: x for k, x in load_file(FEATURES).items() if "conv_layers.6" not in k}
    save_file(tensors, tmp_path / "short.safetensors")
    with pytest.raises(UserError, match=r"6 convolutions.*strides"):
        load_wav2vec2(tmp_path / "short.safetensors")


def test_a_name_is_looked_for_on_the_hub(tmp_path, monkeypatch):
    directory = small_model(tmp_path / "model")

    def download(name: str, file: str) -> str:
        from huggingface_hub.errors import EntryNotFoundError

        assert name == "someone/wav2vec2"
        if not (directory / file).exists():
            raise EntryNotFoundError(file)
        return str(directory / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    config, variables = load_wav2vec2("someone/wav2vec2")
    assert config.conv_dim[0] == 8
    assert set(variables) == {"feature_extractor", "feature_projection"}


def test_without_a_network_the_error_says_what_to_do(monkeypatch):
    def download(name: str, file: str) -> str:
        raise ConnectionError("no route to host\nand a long story")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(UserError, match=r"no route to host.*give its directory") as caught:
        load_wav2vec2("facebook/wav2vec2-base-960h")
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="no such file"):
        load_wav2vec2("some/where/else")
    with pytest.raises(UserError, match="no such file"):
        load_wav2vec2("weights.bin")
