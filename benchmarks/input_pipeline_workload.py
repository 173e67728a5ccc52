"""What the parts of `benchmarks/input_pipeline.py` share: the two stages, and places to compare."""

from typing import Any

import numpy as np

FRAMES = {"predictor": 288, "tokenizer": 736}
BATCH = {"predictor": 16, "tokenizer": 8}
SOUND_FRAMES = 256
COMPARED_ITEMS = 4


def sample(items: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Some numbers of some items, as JSON holds them; sound is left out near its cuts."""
    places = {
        "speaker_coeffs": np.s_[::50, 4],
        "listener_coeffs": np.s_[::50, 52],
        "listener_emotion": np.s_[::50, 15],
        "speaker_waveform": np.s_[1000:-1000:500],
    }
    return {
        name: [item[name][place].tolist() for item in items[:COMPARED_ITEMS]]
        for name, place in places.items()
        if name in items[0]
    }
