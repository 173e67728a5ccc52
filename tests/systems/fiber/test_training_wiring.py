"""Which options of both trainings reach the data, the losses, the pictures and the record."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.nn.quantizers import Quantized
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.fiber import frozen_parts
from jaxreact.systems.fiber import train_predictor as predictor_module
from jaxreact.systems.fiber import train_tokenizer as tokenizer_module
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.presets import TOKENIZER_PRESETS
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig
from jaxreact.systems.fiber.train_predictor import PredictorTraining, inputs
from jaxreact.systems.fiber.train_tokenizer import TokenizerTraining
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from jaxreact.training.loop import LoopConfig
from jaxreact.training.run_start import record_of
from jaxreact.training.stage import Recipe, Stage
from jaxreact.training.state import TrainState
from jaxreact.variables import one_by_one
from tests.systems.fiber.modalities import FACES
from tests.test_runs import variables

CONTEXT, LENGTH, PATCH, BLOCK = 8, 8, 4, 4
FRAMES = LENGTH + PATCH
FACE = FaceTokenizerConfig(
    n_embd=4, n_head=1, n_layer=1, block_size=BLOCK, quantize_levels=(4, 3, 3), input_init_std=1.0
)
MODEL = PredictorConfig(
    vocab_size=40,
    vocab_face_size=40,
    block_size=LENGTH,
    patch_size=PATCH,
    n_embd=4,
    n_head=1,
    n_layer=1,
)
HEARD = Modality("speaker", "waveform", before=CONTEXT, frames=LENGTH)
ENCODER = AudioEncoderConfig(conv_dim=(2, 2, 2, 2, 2, 2, 512))
MEAN = np.linspace(0, 1, 58, dtype=np.float32)


class Conversations:
    """Stands in for a data set where only its mean face is asked for."""

    def mean_face(self) -> np.ndarray:
        return MEAN


def encode_waveforms(encoder: Any, waveforms: jax.Array) -> jax.Array:
    """Stands in for the audio encoder: one sample of each step, 2 T - 1 of T frames."""
    return jnp.broadcast_to(waveforms[:, 320::320, None], (*waveforms[:, 320::320].shape, 512))


def encode(tokenizer: FaceTokenizer, coeffs: jax.Array) -> jax.Array:
    """Stands in for the tokenizer: a code of one coefficient and of the codebook's weights."""
    weight = jnp.sum(tokenizer.quantize.project_in.bias[...])
    return jnp.floor(jnp.abs(coeffs[..., 3] + weight) * 10).astype(jnp.int32) % 36


def decode(tokenizer: FaceTokenizer, codes: jax.Array) -> tuple[jax.Array, jax.Array]:
    weight = jnp.sum(tokenizer.lm_head_3dmm.kernel[...])
    return codes[..., None] + weight, codes[..., None] - weight


def quickly(kind: runs.Kind) -> Callable[..., Any]:
    """Makes models of a kind without JAX's random numbers; of the seed 4, as all are here."""

    def make(config: Any, *, rngs: nnx.Rngs) -> Any:
        assert rngs.params() == nnx.Rngs(4).params()
        return runs.build(kind, config, variables(kind.name, config))

    return make


def unread(*given: Any, **options: Any) -> Any:
    raise AssertionError("nothing here reads data or trains a model")


def captured(module: Any, monkeypatch: Any) -> tuple[dict[str, Any], list[Recipe]]:
    """What a training reads and its recipe; nothing is read, and no stage is made of it."""
    asked: dict[str, Any] = {}
    recipes: list[Recipe] = []

    def read(path: Path, mean: np.ndarray, **options: Any) -> Data:
        asked.update(options, path=path, mean=mean)
        return Data(unread, 3, unread, fingerprint="abc")

    def stage(loop: LoopConfig, recipe: Recipe, mesh: DeviceMesh, steps_per_epoch: int) -> Stage:
        assert steps_per_epoch == 3
        recipes.append(recipe)
        nothing = TrainState(0, {}, {}, ())
        return Stage(recipe, mesh, nothing, {}, unread, unread, unread, unread)

    monkeypatch.setattr(module, "read_data", read)
    monkeypatch.setattr(module, "train", lambda *given, **options: 0.5)
    monkeypatch.setattr(LoopConfig, "make_stage", stage)
    return asked, recipes


@pytest.fixture(scope="module")
def tokenizer_run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tokenizer"
    runs.save_model(out, TOKENIZER, FACE, variables("tokenizer", FACE), mean_face=MEAN.tolist())
    return out


@pytest.fixture(scope="module")
def predictor(tokenizer_run, tmp_path_factory) -> tuple[dict[str, Any], Recipe]:
    """What a predictor's training asks of its data, and its recipe."""
    config = PredictorTraining(
        data=Path("data"),
        tokenizer=tokenizer_run,
        out=tmp_path_factory.mktemp("predictor") / "run",
        new_patch_only=True,
        past_mask_probability=0.75,
        codes="every-step",
        audio_context=CONTEXT,
        validation_windows=5,
        untrained_encoder=ENCODER,
        model=MODEL,
        loop=LoopConfig(epochs=7, batch_size=6, workers=2, seed=4),
    )
    with pytest.MonkeyPatch.context() as patch:
        asked, recipes = captured(predictor_module, patch)
        patch.setattr(predictor_module, "ReactPredictor", quickly(PREDICTOR))
        patch.setattr(frozen_parts, "AudioEncoder", quickly(AUDIO_ENCODER))
        assert predictor_module.train_predictor(config) == 0.5
    return asked, recipes[0]


@pytest.fixture
def batch(monkeypatch) -> dict[str, jax.Array]:
    """A batch of two conversations, whose sound and faces cost nothing to encode."""
    monkeypatch.setattr(predictor_module, "encode_waveforms", encode_waveforms)
    monkeypatch.setattr(FaceTokenizer, "encode", encode)
    monkeypatch.setattr(FaceTokenizer, "decode", decode)
    draw = np.random.default_rng(0)
    shapes = {
        "speaker_coeffs": (2, FRAMES, 58),
        "listener_coeffs": (2, FRAMES, 58),
        "speaker_waveform": (2, (CONTEXT + LENGTH) * 640),
    }
    return {name: jnp.asarray(draw.normal(size=s), jnp.float32) for name, s in shapes.items()}


def expected_inputs(recipe: Recipe, batch: dict[str, jax.Array]) -> tuple[jax.Array, ...]:
    tokenizer = runs.build(TOKENIZER, FACE, one_by_one(recipe.frozen["tokenizer"]))
    encoder = runs.build(AUDIO_ENCODER, ENCODER, recipe.frozen["audio_encoder"])
    return inputs(batch, tokenizer, encoder, MODEL, CONTEXT)


def test_what_a_predictor_reads(predictor):
    asked, _ = predictor
    np.testing.assert_array_equal(asked.pop("mean"), MEAN)
    assert asked == {
        "path": Path("data"),
        "modalities": (
            *FACES,
            HEARD,
        ),
        "frames": FRAMES,
        "trained_frames": LENGTH,
        "batch_size": 6,
        "seed": 4,
        "workers": 2,
        "windows": 5,
    }


def test_what_a_resumed_predictor_must_not_change(predictor, tokenizer_run):
    recipe = predictor[1]
    record = record_of(recipe.config, recipe.config.loop)
    stage = record["stage"]
    assert (stage["past_mask_probability"], stage["new_patch_only"]) == (0.75, True)
    assert (stage["audio_context"], stage["validation_windows"]) == (CONTEXT, 5)
    assert "codes" not in stage  # they change no result
    assert stage["untrained_encoder"]["conv_dim"] == ENCODER.conv_dim
    assert record["paths"]["tokenizer"] == str(tokenizer_run)
    assert record["training"]["seed"] == 4
    tokenizer = runs.load_variables(tokenizer_run, TOKENIZER, FACE)
    assert recipe.parts["tokenizer"] == fingerprint(FACE, tokenizer)
    assert set(recipe.parts) == {"tokenizer", "audio_encoder"}
    assert predictor[1].model.config.codebook_size == FACE.codebook_size == 36


@pytest.mark.parametrize("train", [True, False])
def test_what_a_predictors_loss_is_given(predictor, batch, monkeypatch, train):
    recipe, key = predictor[1], jax.random.key(2)
    asked: dict[str, Any] = {}
    keys: list[Any] = []

    def masks(key: Any, batch: int, frames: int, probability: float) -> jax.Array:
        asked.update(batch=batch, frames=frames, probability=probability)
        keys.append(key)
        return jnp.arange(batch * frames).reshape(batch, frames) % 3 > 0

    def loss(model: Any, *given: Any) -> Any:
        *arrays, dropout_key, new_patch_only, traits = given
        assert traits is None
        asked["new_patch_only"] = new_patch_only
        keys.append(dropout_key)
        return jnp.zeros(()), {str(number): array for number, array in enumerate(arrays)}

    monkeypatch.setattr(predictor_module, "past_masks", masks)
    monkeypatch.setattr(predictor_module, "predictor_loss", loss)

    found = recipe.loss(recipe.model, recipe.frozen, batch, key, train, 0)[1][0]
    *arrays, mask = (found[str(number)] for number in range(5))
    for ours, theirs in zip(arrays, expected_inputs(predictor[1], batch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(mask, np.arange(2 * LENGTH).reshape(2, LENGTH) % 3 > 0)
    assert (asked["batch"], asked["frames"], asked["probability"]) == (2, LENGTH, 0.75)
    assert asked["new_patch_only"] is True
    mask_key, dropout_key = jax.random.split(key)
    assert keys == [mask_key, dropout_key if train else None]


def test_what_a_predictors_pictures_show(predictor, batch, monkeypatch):
    """The window, of the first clip; what is generated hears it and what is before it."""
    recipe, asked = predictor[1], []

    def generate(model: Any, *given: Any, traits: Any) -> jax.Array:
        assert traits is None
        asked.append(given)
        return jnp.full((1, 3, LENGTH), 7)

    monkeypatch.setattr(predictor_module, "generate", generate)

    faces = recipe.show(recipe.model, recipe.frozen, batch)
    features, speaker = asked[0][:2]
    expected = expected_inputs(recipe, batch)
    np.testing.assert_allclose(features, expected[0][:1], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(speaker, expected[1][:1] - 2)
    assert asked[0][-1] == 3
    window = batch["listener_coeffs"][:1, :LENGTH]
    np.testing.assert_array_equal(faces["ground truth"][0], window)
    tokenizer = runs.build(TOKENIZER, FACE, one_by_one(recipe.frozen["tokenizer"]))
    for name, codes in (
        ("reconstruction", tokenizer.encode(window)),
        ("generated", jnp.full((3, LENGTH), 7)),
    ):
        for ours, theirs in zip(faces[name], tokenizer.decode(codes), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> tuple[dict[str, Any], Recipe]:
    """What a tokenizer's training asks of its data, and its recipe."""
    config = TokenizerTraining(
        data=Path("data"),
        out=tmp_path_factory.mktemp("tokenizer") / "run",
        clip_frames=12,
        emotion_phase=0.5,
        quantize_weight=2.0,
        emotion_weight=3.0,
        rotation_weight=4.0,
        model=FACE,
        loop=LoopConfig(epochs=4, batch_size=6, workers=2, seed=4),
    )
    with pytest.MonkeyPatch.context() as patch:
        asked, recipes = captured(tokenizer_module, patch)
        patch.setattr(tokenizer_module, "FaceTokenizer", quickly(TOKENIZER))
        patch.setattr(tokenizer_module, "open_conversations", lambda path: Conversations())
        assert tokenizer_module.train_tokenizer(config) == 0.5
    return asked, recipes[0]


def test_what_a_tokenizer_reads_and_records(tokenizer):
    asked, recipe = dict(tokenizer[0]), tokenizer[1]
    np.testing.assert_array_equal(asked.pop("mean"), MEAN)
    assert asked == {
        "path": Path("data"),
        "modalities": (Modality("listener", "coeffs"), Modality("listener", "emotion")),
        "frames": 12,
        "trained_frames": 12,
        "batch_size": 6,
        "seed": 4,
        "workers": 2,
    }
    assert recipe.extra == {"mean_face": MEAN.tolist()}
    assert record_of(recipe.config, recipe.config.loop)["stage"] == {
        "clip_frames": 12,
        "emotion_phase": 0.5,
        "quantize_weight": 2.0,
        "emotion_weight": 3.0,
        "rotation_weight": 4.0,
    }


def test_the_tokenizers_phases(tokenizer):
    recipe = tokenizer[1]
    assert [recipe.phase(epoch) for epoch in range(4)] == [0, 0, 0, 1]  # strictly after the half
    paths = [("encoder",), ("lm_head_3dmm",), ("decoder_to_emotion",), ("lm_head_emotion",)]
    assert [recipe.trainable(path, 0) for path in paths] == [True] * 4
    assert [recipe.trainable(path, 1) for path in paths] == [False, False, True, True]


@pytest.mark.parametrize(("train", "phase"), [(True, 0), (True, 1), (False, 0)])
def test_what_a_tokenizers_loss_is_given(tokenizer, monkeypatch, train, phase):
    recipe, key = tokenizer[1], jax.random.key(2)
    asked: dict[str, Any] = {}
    codes = jnp.array([[0, 0, 5, 5]] * 4)

    def note(model: Any, coeffs: Any, emotion: Any, **options: Any) -> Any:
        asked.update(options, model=model, coeffs=coeffs, emotion=emotion)
        statistics = {"embed": jnp.ones(1)} if train else {}
        quantized = Quantized(jnp.zeros((4, 4, 4)), codes, jnp.zeros(()), statistics)
        return jnp.array(6.0), ({"loss": jnp.array(6.0)}, quantized)

    monkeypatch.setattr(tokenizer_module, "tokenizer_loss", note)
    coeffs = np.arange(2 * 8 * 58, dtype=np.float32).reshape(2, 8, 58)
    emotion = np.arange(2 * 8 * 25, dtype=np.float32).reshape(2, 8, 25)
    given = {"listener_coeffs": jnp.asarray(coeffs), "listener_emotion": jnp.asarray(emotion)}
    value, (metrics, statistics) = recipe.loss(recipe.model, {}, given, key, train, phase)
    assert float(value) == float(metrics["loss"]) == 6
    assert metrics["code_share"].shape == (36,)
    assert [float(metrics["code_share"][code]) for code in (0, 1, 5)] == [0.5, 0, 0.5]
    assert set(statistics) == ({"quantize"} if train else set())
    np.testing.assert_array_equal(asked.pop("coeffs"), coeffs.reshape(4, 4, 58))
    np.testing.assert_array_equal(asked.pop("emotion"), emotion.reshape(4, 4, 25))
    assert asked.pop("model") is recipe.model
    assert asked == {
        "train": train,
        "emotion_only": phase == 1,
        "quantize_weight": 2.0,
        "emotion_weight": 3.0,
        "rotation_weight": 4.0,
        "key": key if train else None,
    }


@pytest.mark.parametrize("narrow", ["vocab_size", "vocab_face_size"])
def test_a_predictor_holds_the_tokenizers_codes(narrow):
    tokenizer = nnx.merge(*runs.abstract_model(TOKENIZER, FACE))
    size = FACE.codebook_size
    fitting = replace(MODEL, vocab_size=size, vocab_face_size=size)
    assert predictor_module._with_codebook(fitting, tokenizer).codebook_size == size
    with pytest.raises(UserError, match=f"the tokenizer has {size} codes"):
        predictor_module._with_codebook(replace(fitting, **{narrow: size - 1}), tokenizer)


@pytest.mark.parametrize(("block", "frames"), [(16, 48), (32, 64), (48, 48)])
def test_crops_are_whole_blocks_of_the_tokenizer(block, frames):
    config = replace(MODEL, block_size=32, patch_size=16)
    crop = predictor_module.crop_frames(config, block)
    assert (crop, type(crop)) == (frames, int)


@pytest.mark.parametrize("name", ["input-dim", "output-dim", "emotion-output-dim"])
def test_a_tokenizer_is_trained_on_the_faces_of_the_data(name):
    options = ["debug", "--data", "nowhere", "--out", "nothing", f"--model.{name}", "7"]
    with pytest.raises(UserError, match="the data has 58 coefficients and 25 channels: leave them"):
        tokenizer_module.train_tokenizer(parse(TOKENIZER_PRESETS, options))
