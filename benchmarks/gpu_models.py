"""Models and training stages of released sizes, or small, with new weights: for `gpu_ways.py`."""

from typing import Any

import jax
import numpy as np
from flax import nnx
from training_workload import DROPOUT

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER, Encoder
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.fiber import train_predictor as predictor
from jaxreact.systems.fiber import train_tokenizer as tokenizer
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.frozen_parts import FrozenParts
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer
from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.training.batches import Data
from jaxreact.training.command import parse
from jaxreact.training.stage import Stage

MEAN = np.zeros(58, np.float32)
SMALL = {"n_layer": 1, "n_embd": 24, "n_head": 2}
SMALL_EAR = AudioEncoderConfig(conv_dim=(4, 4, 4, 4, 4, 4, 512))


class Sizes:
    """Models with new weights, of the released sizes or small."""

    def __init__(self, small: bool):
        self.small = small
        self.changes: dict[str, Any] = SMALL if small else {}
        self.options = [f"--model.{k.replace('_', '-')}={v}" for k, v in self.changes.items()]
        self.ear = SMALL_EAR if small else AudioEncoderConfig()

    def tokenizer(self) -> Tokenizer:
        model = runs.new_model(TOKENIZER, FaceTokenizerConfig(**self.changes), 0)
        return Tokenizer(on_device(model), {"mean_face": MEAN.tolist()}, "new")

    def predictor(self) -> Predictor:
        config = PredictorConfig(codebook_size=1000, **self.changes)
        return Predictor(on_device(runs.new_model(PREDICTOR, config, 0)), {}, "new")

    def encoder(self) -> Encoder:
        return Encoder(on_device(runs.new_model(AUDIO_ENCODER, self.ear, 0)), {}, "new")

    def stage(self, kind: str, rows: int, precision: str) -> Stage:
        """As the training command makes it."""
        options = ["--data", ".", "--out", ".", f"--loop.batch-size={rows}", *self.options]
        options += [f"--loop.precision={precision}", f"--model.dropout={DROPOUT}"]
        data = Data(lambda: iter([]), 100, list)  # pyright: ignore[reportArgumentType]
        mesh = make_device_mesh()
        if kind == "tokenizer":
            config = parse(TOKENIZER_PRESETS, ["react2024", *options])
            return tokenizer._stage(config, MEAN, data, mesh)
        config = parse(PREDICTOR_PRESETS, ["react2024", "--tokenizer", ".", *options])
        coder = runs.new_model(TOKENIZER, FaceTokenizerConfig(**self.changes), 0)
        encoder = runs.new_model(AUDIO_ENCODER, self.ear, 0)
        sizes = predictor._with_codebook(config.model, coder)
        return predictor._stage(config, sizes, FrozenParts(coder, encoder, MEAN), data, mesh)


def on_device(model: Any) -> Any:
    graph, state = nnx.split(model)
    return nnx.merge(graph, jax.device_put(state, jax.devices()[0]))
