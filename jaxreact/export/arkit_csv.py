"""The csv of Live Link Face (`media.live_link_format`)."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.export.motion import Motion
from jaxreact.files import replacing
from jaxreact.media.live_link_format import COLUMNS, VALUES, timecode, to_values


def write_arkit_csv(path: Path, motion: Motion) -> None:
    """Writes a recording that begins at midnight; the head's place has no column."""
    text = csv_text(motion.times, motion.coeffs)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def csv_text(times: Float[np.ndarray, "frames"], coeffs: Float[np.ndarray, "frames 58"]) -> str:
    """The file's text for raw coefficients at some times (s), ten digits behind each point.

    `jaxreact/live/page/live_link.js` writes the same.
    """
    lines = [",".join(COLUMNS)]
    for time, values in zip(times.tolist(), to_values(coeffs), strict=True):
        numbers = (f"{value + 0.0:.10f}" for value in values.tolist())  # no -0
        lines.append(",".join([timecode(time), str(len(VALUES)), *numbers]))
    return "\n".join(lines) + "\n"
