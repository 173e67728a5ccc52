"""jaxreact: a listener's face from the speaker's voice and face.

The names below are imported when first used, so that `jaxreact.metrics`, for one, needs no model.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxreact import metrics, rendering
    from jaxreact.audio_features.load import load_audio_encoder
    from jaxreact.media.sound import read_audio
    from jaxreact.media.video_reader import read_video
    from jaxreact.metrics.realism.load import load_inception
    from jaxreact.rendering.pirender.load import load_face_generator
    from jaxreact.streaming.pool import StreamPool
    from jaxreact.streaming.stream import ReactionStream
    from jaxreact.systems.fiber.loaded_predictor import load_predictor
    from jaxreact.systems.fiber.loaded_tokenizer import load_tokenizer
    from jaxreact.systems.system import OnlineSystem, Reactions, Speaker, System, load

__all__ = [
    "OnlineSystem",
    "ReactionStream",
    "Reactions",
    "Speaker",
    "StreamPool",
    "System",
    "load",
    "load_audio_encoder",
    "load_face_generator",
    "load_inception",
    "load_predictor",
    "load_tokenizer",
    "metrics",
    "read_audio",
    "read_video",
    "rendering",
]

_HOMES = {
    "ReactionStream": "streaming.stream",
    "StreamPool": "streaming.pool",
    "load_audio_encoder": "audio_features.load",
    "load_face_generator": "rendering.pirender.load",
    "load_inception": "metrics.realism.load",
    "load_predictor": "systems.fiber.loaded_predictor",
    "load_tokenizer": "systems.fiber.loaded_tokenizer",
    "read_audio": "media.sound",
    "read_video": "media.video_reader",
    **dict.fromkeys(("OnlineSystem", "Reactions", "Speaker", "System", "load"), "systems.system"),
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"jaxreact.{_HOMES[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"jaxreact.{name}")
    raise AttributeError(f"module 'jaxreact' has no attribute {name!r}")
