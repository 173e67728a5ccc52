"""wav2vec2 as others keep it: with heads, in shards, in half precision; and what is none of it."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from jaxreact import runs
from jaxreact.audio_features.conversion import convert_wav2vec2, load_wav2vec2
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.errors import Remark, UserError
from tests.audio_features.test_conversion import FEATURES, small_model


def transformers_model(kind: str):
    """A small model of Hugging Face with random weights, and that kind's head."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    config = transformers.Wav2Vec2Config(
        conv_dim=(8, 12),
        conv_kernel=(10, 3),
        conv_stride=(5, 2),
        num_feat_extract_layers=2,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        vocab_size=8,
        classifier_proj_size=6,
        codevector_dim=4,
        proj_codevector_dim=4,
        num_codevectors_per_group=4,
        use_weighted_layer_sum=True,
        tdnn_dim=(6, 6),
        tdnn_kernel=(3, 1),
        tdnn_dilation=(1, 1),
        xvector_output_dim=6,
    )
    torch.manual_seed(0)
    return getattr(transformers, f"Wav2Vec2For{kind}")(config).eval()


def assert_gives_what(model, source: Path, out: Path) -> None:
    """The converted encoder's features are those of transformers' model."""
    import torch

    convert_wav2vec2(str(source), out)
    encoder, _ = runs.load_model(out, AUDIO_ENCODER)
    waveform = np.random.default_rng(0).standard_normal((1, 800)).astype(np.float32)
    waveform = (waveform - waveform.mean()) / waveform.std()
    with torch.no_grad():
        expected = model.float().wav2vec2(torch.from_numpy(waveform)).extract_features.numpy()
    np.testing.assert_allclose(encoder(jnp.asarray(waveform)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("SequenceClassification", {"classifier", "projector", "layer_weights"}),
        ("AudioFrameClassification", {"classifier", "layer_weights"}),
        ("XVector", {"classifier", "feature_extractor", "layer_weights", "objective", "projector"}),
        ("PreTraining", {"project_hid", "project_q", "quantizer"}),
        ("CTC", {"lm_head"}),
    ],
)
def test_heads_of_hugging_face_are_left_and_said(tmp_path, kind, left):
    model = transformers_model(kind)
    model.save_pretrained(tmp_path / "model")
    with pytest.warns(Remark, match="left out, since the audio encoder does without") as caught:
        assert_gives_what(model, tmp_path / "model", tmp_path / "run")
    (remark,) = [str(warning.message) for warning in caught if warning.category is Remark]
    named = {part.split(" (")[0] for part in remark.split("does without: ")[1].split(", ")}
    assert named <= left | {"tdnn"}
    assert len(named) >= min(3, len(left))


@pytest.mark.parametrize("kind", ["half", "bfloat16"])
def test_shards_of_transformers_in_half_precision(tmp_path, kind):
    model = getattr(transformers_model("SequenceClassification"), kind)()
    model.save_pretrained(tmp_path / "model", max_shard_size="2KB")
    assert not (tmp_path / "model" / "model.safetensors").exists()
    with pytest.warns(Remark, match=r"converted to float32: \d+ of b?float16$"):
        assert_gives_what(model, tmp_path / "model", tmp_path / "run")


def test_a_classifiers_file_alone(tmp_path):
    """Without a prefix too, and with one that somebody's own model puts before it."""
    head = {f"{part}.weight": np.ones((2, 2), np.float32) for part in ("classifier", "projector")}
    expected = load_wav2vec2(FEATURES)
    for prefix in ("", "wav2vec2.", "module.wav2vec2.", "backbone.wav2vec2.", "model."):
        path = tmp_path / "ser.safetensors"
        save_file({prefix + k: x for k, x in load_file(FEATURES).items()} | head, path)
        with pytest.warns(Remark, match=r"classifier \(1 tensor\), projector \(1 tensor\)$"):
            config, variables = load_wav2vec2(path)
        assert config == expected[0]
        np.testing.assert_array_equal(
            variables["feature_projection"]["layer_norm"]["scale"],
            expected[1]["feature_projection"]["layer_norm"]["scale"],
        )


@pytest.mark.parametrize("prefix", ["hubert.", "encoder.hubert.", "wavlm."])
def test_relatives_of_wav2vec2_are_another_model(tmp_path, prefix):
    path = tmp_path / "x.safetensors"
    save_file({prefix + k: x for k, x in load_file(FEATURES).items()}, path)
    with pytest.raises(UserError, match=rf"holds no wav2vec2 .*: 13 tensors, {prefix}"):
        load_wav2vec2(path)


def test_two_of_them_are_one_too_many(tmp_path):
    tensors = load_file(FEATURES)
    both = {prefix + k: x for k, x in tensors.items() for prefix in ("wav2vec2.", "b.wav2vec2.")}
    save_file(both, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match=r"holds 2 wav2vec2, at b\.wav2vec2\., wav2vec2\.$"):
        load_wav2vec2(tmp_path / "x.safetensors")


def shard(directory: Path) -> Path:
    """`small_model` with its weights in two files, and a config.json that says nothing."""
    tensors = load_file(small_model(directory) / "model.safetensors")
    (directory / "model.safetensors").unlink()
    places = {}
    for number, names in enumerate((sorted(tensors)[:7], sorted(tensors)[7:]), 1):
        places |= dict.fromkeys(names, f"model-0000{number}-of-00002.safetensors")
        save_file({name: tensors[name] for name in names}, directory / places[names[0]])
    index = {"metadata": {}, "weight_map": places}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    (directory / "config.json").write_text('{"model_type": "wav2vec2"}')
    return directory


def test_shards_in_a_directory(tmp_path):
    expected = load_wav2vec2(FEATURES)
    directory = shard(tmp_path / "model")
    for source in (directory, directory / "model.safetensors.index.json"):
        config, variables = load_wav2vec2(source)
        assert config == expected[0]
        assert str(variables) == str(expected[1])
    (directory / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(
        UserError, match=r"index\.json: names model-00002-of-00002\.safetensors, whi"
    ):
        load_wav2vec2(directory)


def test_shards_from_the_hub(tmp_path, monkeypatch):
    directory = shard(tmp_path / "model")
    asked = []

    def download(name: str, file: str) -> str:
        from huggingface_hub.errors import EntryNotFoundError

        asked.append(file)
        if not (directory / file).exists():
            raise EntryNotFoundError(file)
        return str(directory / file)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert load_wav2vec2("someone/wav2vec2")[0].conv_dim[0] == 8
    assert asked[-2:] == [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    assert "pytorch_model.bin" not in asked


@pytest.mark.parametrize(
    "change",
    [
        {"conv_dim": "many"},
        {"conv_dim": None},
        {"conv_stride": [5, 2]},
        {"conv_stride": [0] * 7},
        {"conv_kernel": [2.5] * 7},
        {"conv_dim": [-8] * 7},
        {"conv_kernel": [[10]] * 7},
        {"hidden_size": {}},
        {"layer_norm_eps": "small"},
    ],
)
@pytest.mark.wrong_arguments
def test_a_config_of_the_wrong_types(tmp_path, change):
    with pytest.raises(UserError) as caught:
        load_wav2vec2(small_model(tmp_path / "model", **change))
    assert "config.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"[" * 100_000, b"[1]", b'"x"', b""])
def test_json_that_is_none(tmp_path, name, text):
    directory = small_model(tmp_path / "model")
    (directory / name).write_bytes(text)
    with pytest.raises(UserError, match=name) as caught:
        load_wav2vec2(directory)
    assert "\n" not in str(caught.value)
