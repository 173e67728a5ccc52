"""ARKit's weights and the head's pose as JSON that explains itself."""

import json
from pathlib import Path

import numpy as np

from jaxreact.export.motion import Motion
from jaxreact.export.pose import angles, quaternions, translations
from jaxreact.face import EXPRESSION, EXPRESSIONS
from jaxreact.files import replacing

FORMAT = "jaxreact-arkit-1"
AXES = "x to the person's left, y up, z out of the face; R = Rz Ry Rx"


def write_arkit_json(path: Path, motion: Motion) -> None:
    """Writes weights as ARKit names them, and the head's rotation and place, frame by frame.

    The keys: `format`, `title`, `fps`, `names` (52), `weights` (frames, 52) in [0, 1], and of
    `head` the `axes` in words, `quaternion` (frames, 4) as x, y, z, w, `euler_degrees` (frames, 3)
    about x, y and z, and `translation_metres` (frames, 3). Numbers have six decimal places.
    """
    coeffs = motion.coeffs
    content = {
        "format": FORMAT,
        "title": motion.title,
        "fps": motion.fps,
        "names": EXPRESSIONS,
        "weights": _rounded(coeffs[:, EXPRESSION]),
        "head": {
            "axes": AXES,
            "quaternion": _rounded(quaternions(coeffs)),
            "euler_degrees": _rounded(np.rad2deg(angles(coeffs))),
            "translation_metres": _rounded(translations(coeffs)),
        },
    }
    with replacing(path) as temporary:
        text = json.dumps(content, separators=(",", ":"), allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _rounded(array: np.ndarray) -> list[list[float]]:
    return (array.round(6) + 0.0).tolist()
