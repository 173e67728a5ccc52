"""The head alone as BVH, the text that programs for motion capture exchange."""

from pathlib import Path

import numpy as np

from jaxreact.export.motion import Motion
from jaxreact.export.pose import angles, translations
from jaxreact.files import replacing

CROWN = 20.0
"""Centimetres from the joint up to the end of the bone, which only has to have some length."""

_HIERARCHY = f"""\
HIERARCHY
ROOT Head
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  End Site
  {{
    OFFSET 0 {CROWN:g} 0
  }}
}}
"""


def write_bvh(path: Path, motion: Motion) -> None:
    """Writes one joint, `Head`: its place in centimetres and its angles in degrees.

    Rotations of a joint's channels apply from the last to the first, so that R = Rz Ry Rx. Weights
    have no place in this format.
    """
    place = translations(motion.coeffs) * 100
    turned = np.rad2deg(angles(motion.coeffs))[:, ::-1]  # z, y, x
    rows = np.concatenate([place, turned], axis=1).round(6) + 0.0
    lines = [" ".join(f"{value:.6f}" for value in row) for row in rows.tolist()]
    head = f"{_HIERARCHY}MOTION\nFrames: {len(rows)}\nFrame Time: {1 / motion.fps:.8f}\n"
    with replacing(path) as temporary:
        temporary.write_text(head + "\n".join(lines) + "\n", encoding="ascii", newline="")
