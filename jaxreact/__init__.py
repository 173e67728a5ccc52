"""jaxreact: a listener's face from the speaker's voice and face.

The names below are imported when first used, so that `jaxreact.metrics`, for one, needs no model.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxreact import metrics, rendering
    from jaxreact.data.audio import read_audio
    from jaxreact.inference import (
        load_audio_encoder,
        load_face_generator,
        load_inception,
        load_predictor,
        load_tokenizer,
    )

__all__ = [
    "load_audio_encoder",
    "load_face_generator",
    "load_inception",
    "load_predictor",
    "load_tokenizer",
    "metrics",
    "read_audio",
    "rendering",
]

_HOMES = {
    "load_audio_encoder": "jaxreact.inference",
    "load_face_generator": "jaxreact.inference",
    "load_inception": "jaxreact.inference",
    "load_predictor": "jaxreact.inference",
    "load_tokenizer": "jaxreact.inference",
    "read_audio": "jaxreact.data.audio",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in __all__:
        return importlib.import_module(f"jaxreact.{name}")
    raise AttributeError(f"module 'jaxreact' has no attribute {name!r}")
