"""The models that a predictor is trained with but does not train: its tokenizer and its ears."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxreact import runs
from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.audio_features.wav2vec2 import AudioEncoder, AudioEncoderConfig
from jaxreact.errors import UserError
from jaxreact.nn.fingerprint import fingerprint
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.tokenizer import FaceTokenizer
from jaxreact.variables import state_of, variables_of


@dataclass(frozen=True)
class FrozenParts:
    """Both models, and the mean face that the tokenizer's coefficients lack."""

    tokenizer: FaceTokenizer
    audio_encoder: AudioEncoder
    mean_face: Float[np.ndarray, "58"]

    def variables(self) -> dict[str, Any]:
        """Both models' variables, as programs take them."""
        return {name: state_of(getattr(self, name)) for name in _KINDS}

    def fingerprints(self) -> dict[str, str]:
        """What tells each from others, as config.json of the predictor's run has it."""
        models = {name: getattr(self, name) for name in _KINDS}
        return {
            name: fingerprint(model.config, variables_of(model)) for name, model in models.items()
        }

    def write(self, out: Path) -> None:
        """Puts both into a run directory, so that it holds all that its system needs."""
        extra = {"tokenizer": {"mean_face": self.mean_face.tolist()}}
        for name, kind in _KINDS.items():
            shutil.rmtree(out / name, ignore_errors=True)  # of a start that came no further
            model = getattr(self, name)
            runs.save_model(
                out / name, kind, model.config, variables_of(model), **extra.get(name, {})
            )


_KINDS = {"tokenizer": TOKENIZER, "audio_encoder": AUDIO_ENCODER}


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
