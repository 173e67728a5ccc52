"""Run directories: there and back bit for bit, and one line for whatever is wrong with one."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from jaxreact import runs
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.checkpoints import Checkpoints
from jaxreact.errors import UserError
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.variables import variables_of
from tests.kinds import KINDS

SMALL: dict[str, Any] = {"n_embd": 4, "n_head": 1}
CONFIGS = {
    "tokenizer": FaceTokenizerConfig(**SMALL, n_layer=11, bias=True, quantize_levels=(3, 2)),
    "predictor": PredictorConfig(
        **SMALL, n_layer=1, vocab_size=6, vocab_face_size=6, block_size=8, patch_size=4
    ),
    "audio_encoder": AudioEncoderConfig(conv_dim=(3,) * 7, feat_extract_norm="layer"),
}
VQ = FaceTokenizerConfig(**SMALL, n_layer=1, quantize_type="vq", quantize_codebook_size=5)


def variables(kind: str, config: Any, seed: int = 0) -> runs.Variables:
    """Every leaf is different, so that layers which change places are noticed."""
    random = np.random.default_rng(seed)
    abstract = runs.abstract_variables(KINDS[kind], config)
    return jax.tree.map(
        lambda leaf: random.standard_normal(leaf.shape).astype(leaf.dtype), abstract
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """A tokenizer's run directory; not to be written to."""
    out = tmp_path_factory.mktemp("saved") / "tokenizer"
    config = CONFIGS["tokenizer"]
    runs.save_model(out, TOKENIZER, config, variables("tokenizer", config), mean_face=[0.5] * 58)
    return out


@pytest.fixture
def copy(saved, tmp_path) -> Path:
    """Its config.json alone may be changed: the model is the saved one's."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_bytes((saved / "config.json").read_bytes())
    (tmp_path / "run" / "model").symlink_to(saved / "model")
    return tmp_path / "run"


def change(directory: Path, **fields: Any) -> None:
    content = json.loads((directory / "config.json").read_text())
    content["model"].update(fields)
    (directory / "config.json").write_text(json.dumps(content))


def one_line(function: Any, *arguments: Any, match: str) -> None:
    with pytest.raises(UserError, match=match) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("kind", "config"), [*CONFIGS.items(), ("tokenizer", VQ)])
def test_there_and_back_is_bit_for_bit(tmp_path, kind, config):
    given = variables(kind, config)
    runs.save_model(tmp_path / "run", KINDS[kind], config, given, note="kept")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    read, content = runs.read_config(tmp_path / "run", KINDS[kind])
    assert read == config
    assert content["note"] == "kept"
    found = runs.load_variables(tmp_path / "run", KINDS[kind], config)
    assert jax.tree.structure(found) == jax.tree.structure(given)
    jax.tree.map(np.testing.assert_array_equal, found, given)
    model, _ = runs.load_model(tmp_path / "run", KINDS[kind])
    inside = variables_of(model)
    jax.tree.map(np.testing.assert_array_equal, inside, given)


def test_more_than_ten_layers_keep_their_order(saved):
    """As text "10" comes before "2": layers would be permuted without an error."""
    given = variables("tokenizer", CONFIGS["tokenizer"])["encoder"]["h"]
    model, _ = runs.load_model(saved, TOKENIZER)
    assert len(model.encoder.h) == 11
    for index, block in enumerate(model.encoder.h):
        np.testing.assert_array_equal(
            block.mlp.c_fc.kernel[...], given[index]["mlp"]["c_fc"]["kernel"]
        )


def test_overrides_change_behaviour_alone(tmp_path):
    config = CONFIGS["predictor"]
    runs.save_model(tmp_path / "run", PREDICTOR, config, variables("predictor", config))
    model, _ = runs.load_model(tmp_path / "run", PREDICTOR, mixed_masks=True)
    assert model.config == dataclasses.replace(config, mixed_masks=True)


def test_reading_a_run_changes_nothing_in_it(saved):
    """Another process may be writing to it at that very moment."""
    unfinished = saved / "model" / "7.orbax-checkpoint-tmp"
    unfinished.mkdir()
    before = sorted(path for path in saved.rglob("*"))
    runs.load_model(saved, TOKENIZER)
    assert sorted(path for path in saved.rglob("*")) == before
    unfinished.rmdir()


def test_nothing_is_overwritten_and_nothing_half_written(saved, tmp_path, monkeypatch):
    config = CONFIGS["tokenizer"]
    given = variables("tokenizer", config)
    one_line(runs.save_model, saved, TOKENIZER, config, given, match="exists already")

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(runs, "write_config", broken)
    with pytest.raises(OSError, match="disk full"):
        runs.save_model(tmp_path / "run", TOKENIZER, config, given)
    assert not list(tmp_path.iterdir())


def test_directories_that_are_none(saved, tmp_path):
    one_line(
        runs.load_model, tmp_path, KINDS["tokenizer"], match=r"no config\.json here; give the dir"
    )
    one_line(runs.load_model, tmp_path / "no", KINDS["tokenizer"], match=r"no config\.json here")
    one_line(runs.load_model, saved / "config.json", KINDS["tokenizer"], match="cannot be read")
    one_line(
        runs.load_model,
        saved,
        KINDS["predictor"],
        match="kind is 'tokenizer', expected 'predictor'",
    )


@pytest.mark.parametrize("text", ["{", "[]", "null", '"text"', "\xff", '{"kind": "tokenizer"}', ""])
def test_configurations_that_are_none(copy, text):
    (copy / "config.json").write_bytes(text.encode("latin1"))
    one_line(runs.load_model, copy, KINDS["tokenizer"], match=r"config\.json: (cannot|kind|format)")


def test_configurations_of_another_model(copy):
    change(copy, n_heads=3, colour="red")
    one_line(
        runs.load_model, copy, KINDS["tokenizer"], match="unknown keys for a tokenizer: colour, n_h"
    )
    content = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**content, "model": [1]}))
    one_line(runs.load_model, copy, KINDS["tokenizer"], match="configuration is not a mapping")


@pytest.mark.parametrize(
    "fields", [{"n_head": 3}, {"quantize_type": "rvq"}, {"n_embd": "wide"}, {"n_head": 0}]
)
def test_impossible_values(copy, fields):
    change(copy, **fields)
    with pytest.raises(UserError, match=r"config\.json: "):
        runs.load_model(copy, TOKENIZER)


@pytest.mark.parametrize("fields", [{"n_embd": 8}, {"n_layer": 10}, {"n_layer": 12}])
def test_shapes_that_differ_from_the_configuration(copy, fields):
    change(copy, **fields)
    one_line(runs.load_model, copy, KINDS["tokenizer"], match=r"does not fit its config\.json")


def test_a_run_without_a_model(copy):
    (copy / "model").unlink()
    one_line(runs.load_model, copy, KINDS["tokenizer"], match="no model/ here; has training saved")
    (copy / "model" / "3.orbax-checkpoint-tmp").mkdir(parents=True)
    one_line(runs.load_model, copy, KINDS["tokenizer"], match="no complete checkpoint here")


def test_the_mean_face(saved):
    _, content = runs.load_model(saved, TOKENIZER)
    face = runs.mean_face(content, saved)
    assert (face.dtype, face.shape, face[0]) == (np.float32, (58,), 0.5)
    one_line(runs.mean_face, {}, saved, match="converted without a mean face; convert it again")


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    with Checkpoints(tmp_path / "kept", keep=2) as checkpoints:
        for step in (1, 2, 10):
            checkpoints.save(step, {"a": np.full(2, step)}, {"step": step})
        checkpoints.wait()
        assert checkpoints.latest() == 10
        arrays, record = checkpoints.restore({"a": np.zeros(2, int)}, 2)
        assert (arrays["a"].tolist(), record) == ([2, 2], {"step": 2})
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["10", "2"]


@pytest.mark.parametrize("name", ["origin", "parts", "stage", "training"])
@pytest.mark.parametrize("value", ["a word", [1], None])
def test_what_a_configuration_is_looked_into_for_is_a_mapping(tmp_path, name, value):
    (tmp_path / "config.json").write_text(json.dumps({"kind": "x", name: value}))
    with pytest.raises(UserError, match=f"config.json: {name} is no mapping"):
        runs.kind_name(tmp_path)


def test_a_million_layers_are_not_built_to_find_that_they_do_not_fit(tmp_path):
    config = FaceTokenizerConfig(n_embd=8, n_head=1, n_layer=1, quantize_levels=(4, 3))
    runs.save_model(tmp_path / "run", TOKENIZER, config, variables("tokenizer", config))
    path = tmp_path / "run" / "config.json"
    path.write_text(path.read_text().replace('"n_layer": 1', '"n_layer": 1000000'))
    message = rf"^{path}: n_layer is 1000000, and model/ holds only \d+ arrays; copy"
    with pytest.raises(UserError, match=message):
        runs.load_model(tmp_path / "run", TOKENIZER)
