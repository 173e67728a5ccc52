"""The models that a predictor is trained with but does not train: its tokenizer and its ears."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.errors import UserError
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.tokenizer import FaceTokenizer
from jaxreact.training.frozen import Frozen, FrozenModels


@dataclass(frozen=True)
class FrozenParts(FrozenModels):
    """Both models, and the mean face that the tokenizer's coefficients lack."""

    tokenizer: FaceTokenizer
    audio_encoder: AudioEncoder
    mean_face: Float[np.ndarray, "58"]

    @property
    def parts(self) -> Mapping[str, Frozen]:
        """Both, with what their run directories say."""
        mean = {"mean_face": self.mean_face.tolist()}
        return {
            "tokenizer": Frozen(TOKENIZER, self.tokenizer, mean),
            "audio_encoder": Frozen(AUDIO_ENCODER, self.audio_encoder),
        }


def load_frozen_parts(
    tokenizer: Path,
    encoder: Path | None,
    untrained_encoder: AudioEncoderConfig | None,
    seed: int,
) -> FrozenParts:
    """Loads both; without `encoder`, one with random weights is made from `seed`.

    Raises UserError where a directory is none, the tokenizer knows no mean face, or neither an
    encoder nor the shape of an untrained one is given.
    """
    coder, content = runs.load_model(tokenizer, TOKENIZER)
    mean_face = runs.mean_face(content, tokenizer)
    if encoder is not None:
        ears = runs.load_model(encoder, AUDIO_ENCODER)[0]
    elif untrained_encoder is not None:
        ears = runs.new_model(AUDIO_ENCODER, untrained_encoder, seed)
    else:
        raise UserError(
            "--wav2vec2 DIR is needed; make one with"
            " `python convert_weights.py wav2vec2 facebook/wav2vec2-base-960h DIR`"
        )
    return FrozenParts(coder, ears, mean_face)
