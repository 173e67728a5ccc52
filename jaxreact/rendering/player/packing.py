"""Arrays as text in a page; `head.js` unpacks them."""

import base64
import zlib
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped

from jaxreact.rendering import HeadModel

PRECISION = 2e-5
"""Steps of what units add, in model units: all 52 together are at most 0.0005 off."""


def pack(array: Shaped[np.ndarray, "..."]) -> dict[str, str]:
    """Numbers in the order of memory, deflated, as base64, and their type."""
    deflated = zlib.compress(np.ascontiguousarray(array).tobytes(), 9)
    return {"type": array.dtype.name, "data": base64.b64encode(deflated).decode()}


def pack_sequence(values: Float[np.ndarray, "frames channels"]) -> dict[str, Any]:
    """Channels over time in 65536 levels each, from their lowest to their highest value."""
    low = values.min(axis=0)
    step = (values.max(axis=0) - low) / 65535
    levels = np.round((values - low) / np.where(step > 0, step, 1)).astype(np.uint16)
    return {"low": low.tolist(), "step": step.tolist(), "levels": pack(levels)}


def pack_head(head: HeadModel) -> dict[str, Any]:
    """A head model; of the units only the vertices that move, in whole steps of `PRECISION`."""
    gaps, deltas, starts, steps = [], [], [0], []
    for unit in head.units:
        step = max(PRECISION, float(np.abs(unit).max()) / 32767)
        delta = np.round(unit / step).astype(np.int16)
        moved = np.flatnonzero(delta.any(axis=1))
        gaps.append(np.diff(moved, prepend=0))
        deltas.append(delta[moved])
        starts.append(starts[-1] + len(moved))
        steps.append(step)
    index = np.uint16 if len(head.neutral) <= 65536 else np.uint32
    return {
        "neutral": pack(head.neutral.astype(np.float32)),
        "faces": pack(head.faces.astype(index)),
        "colors": pack(_bytes(head.colors)),
        "gloss": pack(_bytes(head.gloss)),
        "grip": pack(head.grip.astype(np.float32)),
        "pivot": head.pivot.tolist(),
        "lipsNeedJaw": head.lips_need_jaw,
        "unitStart": starts,
        "unitGap": pack(np.concatenate(gaps).astype(index)),
        "unitDelta": pack(np.concatenate(deltas)),
        "unitStep": steps,
    }


def _bytes(shares: Float[np.ndarray, "..."]) -> np.ndarray:
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)
