"""Configurations beside weights that ask for what no such weights can be: one line, at once.

Building a model of a million layers would take hours.
"""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact.audio_features.conversion import convert_wav2vec2
from jaxreact.errors import UserError
from jaxreact.systems.belfusion.conversion import convert_belfusion, convert_vae
from jaxreact.systems.fiber.conversion import convert_predictor, convert_tokenizer
from jaxreact.systems.learning2listen.conversion import Sources, convert_coder, convert_listener
from jaxreact.systems.trans_vae.conversion import convert_trans_vae
from jaxreact.torch_files.sizes import check_sizes
from tests.weights import GOLDEN

FIBER = GOLDEN / "checkpoints"
BELFUSION = GOLDEN / "belfusion" / "checkpoints"
LISTEN = GOLDEN / "learning2listen" / "checkpoints"
CODER, LISTENER = LISTEN / "small_er2er_best", LISTEN / "small_delta_v6_er2er_best"
MILLION = 10**6


def changed(source: Path, name: str, value: Any, out: Path) -> Path:
    """A copy of a JSON file in which a value is another, wherever it stands."""

    def change(content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        return {key: value if key == name else change(x) for key, x in content.items()}

    path = out / "config.json"
    path.write_text(json.dumps(change(json.loads(source.read_text()))))
    return path


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("tokenizer", "n_layer", MILLION),
        ("tokenizer", "n_embd", 10**12),
        ("tokenizer", "block_size", 10**30),
        ("tokenizer", "quantize_levels", [MILLION] * 3),
        ("predictor", "n_layer", MILLION),
        ("predictor", "vocab_size", 10**9),
    ],
)
def test_fiber(model, name, value, tmp_path):
    stem = {"tokenizer": "face_tokenizer_small_fsq", "predictor": "react_predictor_small"}[model]
    convert = {"tokenizer": convert_tokenizer, "predictor": convert_predictor}[model]
    config = changed(FIBER / f"{stem}.json", name, value, tmp_path)
    with pytest.raises(UserError, match=rf"^{config}: .*{name} ") as caught:
        convert(FIBER / f"{stem}.ckpt", tmp_path / "out", config)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["num_hidden_layers", "hidden_size", "n_embed"])
def test_learning2listens_vqvae(name, tmp_path):
    config = changed(CODER.with_suffix(".json"), name, MILLION, tmp_path)
    if name == "hidden_size":
        config = changed(config, "zquant_dim", MILLION, tmp_path)
    with pytest.raises(UserError, match=rf"^{config}: {name} is {MILLION}, and .* holds only"):
        convert_coder(Sources(CODER.with_suffix(".pth"), config), tmp_path / "out")


def test_learning2listens_predictor(tmp_path):
    config = changed(LISTENER.with_suffix(".json"), "intermediate_size", MILLION, tmp_path)
    sources, vqvae = Sources(LISTENER.with_suffix(".pth"), config), CODER.with_suffix(".pth")
    with pytest.raises(UserError, match=r"intermediate_size is 1000000, and .* holds only \d+ num"):
        convert_listener(sources, tmp_path / "out", Sources(vqvae))


@pytest.mark.parametrize(
    ("folder", "name", "value", "message"),
    [
        ("ldm_small_online", "num_layers", MILLION, r"num_layers is 1000000, and .*only \d+ tens"),
        (
            "ldm_small_online",
            "num_hid_channels",
            10**12,
            "num_hid_channels is 10{12}, and .* holds",
        ),
        ("ldm_small_online", "diffusion_steps", 10**9, "diffusion_steps 10{9} is more than 100000"),
        ("ldm_small_online", "window_size", MILLION, "window_size 1000000 is more than seq_len 20"),
        ("vae_small", "hidden_dim", 10**12, "hidden_dim is 10{12}, and .* holds only"),
        ("vae_small", "window_size", MILLION, "window_size 1000000 is more than seq_len"),
    ],
)
def test_belfusion(folder, name, value, message, tmp_path):
    source = shutil.copytree(BELFUSION / folder, tmp_path / folder)
    path = source / "config.yaml"
    path.write_text(re.sub(rf"\b{name}: \d+", f"{name}: {value}", path.read_text()))
    more = () if folder == "vae_small" else (BELFUSION / "vae_small",)
    convert = convert_belfusion if more else convert_vae
    with pytest.raises(UserError, match=rf"^{path}: .*{message}"):
        convert(source, tmp_path / "out", *more)


@pytest.mark.parametrize("name", ["conv_dim", "conv_kernel"])
def test_wav2vec2(name, tmp_path):
    weights = "wav2vec2_small_feature.safetensors"
    shutil.copy(FIBER / weights, tmp_path / "model.safetensors")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "wav2vec2", name: [10**12] * 7}))
    with pytest.raises(UserError, match=rf"^{config}: {name} is 10{{12}}, and .* holds only"):
        convert_wav2vec2(str(tmp_path), tmp_path / "out")


def test_trans_vae(tmp_path):
    source = GOLDEN / "trans_vae" / "tvae_small_online.pth"
    with pytest.raises(UserError, match="--window 1000000 is not 1 to 5000"):
        convert_trans_vae(source, tmp_path / "out", window=MILLION)


@dataclass(frozen=True)
class Sizes:
    n_layer: int = 2
    width: int = 3
    widths: tuple[int, ...] = (1,)
    dropout: float = 1e9
    deep: bool = True


def test_what_is_counted():
    tensors = {"a": np.zeros((2, 3)), "b": np.zeros(1)}
    check_sizes(Sizes(2, 7, (7, 1)), tensors, "config", "weights")
    with pytest.raises(UserError, match=r"^config: n_layer is 3, and weights holds only 2 tensors"):
        check_sizes(Sizes(n_layer=3), tensors, "config", "weights")
    with pytest.raises(UserError, match=r"^config: widths is 8, and weights holds only 7 numbers"):
        check_sizes(Sizes(widths=(1, 8)), tensors, "config", "weights")
    with pytest.raises(UserError, match="widths is 9"):  # so many of them
        check_sizes(Sizes(widths=(1,) * 9), tensors, "config", "weights")
    with pytest.raises(UserError, match=r"width is more than 10\^18, and"):
        check_sizes(Sizes(width=10**5000), tensors, "config", "weights")
    check_sizes(Sizes(width=8), tensors, "config", "weights", frozenset({"width"}))
