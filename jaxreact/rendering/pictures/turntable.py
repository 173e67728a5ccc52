"""The command `python -m jaxreact.rendering turntable`."""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Float
from tqdm import tqdm
from tyro.conf import arg

from jaxreact.errors import UserError
from jaxreact.face import EXPRESSION, FPS, TRANSLATION, YAW
from jaxreact.media.video_writer import write_video
from jaxreact.rendering import HeadModel, portrait_zoom, render_frames
from jaxreact.rendering.options import Drawing
from jaxreact.rendering.pictures.expression import parse_expression, upright
from jaxreact.rendering.pictures.out import check_out

FURTHER = 0.88
"""Share of a portrait's zoom: the back of the head needs room as well."""


@dataclass(frozen=True)
class Turntable:
    """A video of a head that turns about its vertical axis; played again and again it has no seam.

    It begins with the face and turns to image right.
    """

    out: Annotated[Path, arg(metavar="FILE.mp4")]
    """The video."""
    expression: str = ""
    """Weights of units, such as mouthSmile=1,jawOpen=0.3; a name without Left or Right sets both
    sides. Default: the face at rest."""
    seconds: float = 6.0
    """How long one turn takes (s)."""
    swing: float | None = None
    """Turn to either side by so many degrees and back, instead of all the way round: for models
    without a back, such as FaceVerse."""
    drawing: Annotated[Drawing, arg(name="")] = field(default_factory=lambda: Drawing(size=512))

    def run(self) -> None:
        """Writes the video and prints its path."""
        check_out(self.out, ".mp4")
        if not 0 < self.seconds <= 600:
            raise UserError(f"--seconds {self.seconds:g}: choose more than 0, 600 at most")
        if self.swing is not None and not 0 < self.swing <= 180:
            raise UserError(f"--swing {self.swing:g}: choose more than 0, 180 degrees at most")
        weights, head = parse_expression(self.expression), self.drawing.load()
        frames = max(1, round(self.seconds * FPS))
        coeffs = turn(head, angles(frames, self.swing))
        coeffs[:, EXPRESSION] = weights
        size, backend, zoom = self.drawing.size, self.drawing.backend, portrait_zoom(head) * FURTHER
        pictures = render_frames(coeffs, as_one(head), size, backend=backend, zoom=zoom)
        bar = tqdm(pictures, f"video {self.out.name}", frames, unit="frame", disable=None)
        write_video(self.out, iter(bar), FPS)
        print(self.out)


def as_one(head: HeadModel) -> HeadModel:
    """The same head with shoulders that turn with it, instead of staying upright."""
    return replace(head, grip=np.ones_like(head.grip))


def angles(frames: int, swing: float | None = None) -> Float[np.ndarray, "frames"]:
    """Radians at each frame of one round, or of one swing by so many degrees to either side."""
    share = 2 * math.pi * np.arange(frames) / frames
    return share if swing is None else math.radians(swing) * np.sin(share)


def turn(head: HeadModel, yaw: Float[np.ndarray, "frames"]) -> Float[np.ndarray, "frames 58"]:
    """Raw coefficients of a face at rest that is turned by angles (radians) about the vertical
    axis through the middle of the mesh, instead of the origin of its model space."""
    middle = (head.neutral[:, 2].min() + head.neutral[:, 2].max()) / 2
    coeffs = upright(len(yaw))
    coeffs[:, YAW] = yaw
    # At pitch pi the point (0, 0, m) of the model stands at (-sin, 0, -cos) m of the yaw angle.
    coeffs[:, TRANSLATION] += middle * np.stack(
        [np.sin(yaw), np.zeros_like(yaw), np.cos(yaw) - 1], axis=1
    )
    return coeffs
