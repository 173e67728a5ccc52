"""One face over time, taken from a file of reactions."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxreact.data.frame_rate import coeffs_at
from jaxreact.errors import UserError
from jaxreact.face import EXPRESSION, FPS
from jaxreact.predictions.npz import map_npz
from jaxreact.predictions.whole import holds_whole, read_whole
from jaxreact.rendering import check_coeffs
from jaxreact.rendering.pictures.reactions import Recording, find_clip, read_reactions
from jaxreact.tracking.timeline import unwrap_angles

RATES = (1.0, 1000.0)
"""Fewest and most frames a second that are written."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A face at `fps` frames a second, frame k at k / fps s.

    `coeffs` are raw, with weights within [0, 1], as ARKit's are, and angles without jumps. `title`
    says in words whose face it is.
    """

    coeffs: Float[np.ndarray, "frames 58"]
    fps: float
    title: str

    @property
    def times(self) -> Float[np.ndarray, "frames"]:
        """Seconds of each frame."""
        return np.arange(len(self.coeffs)) / self.fps


def read_motion(
    path: Path, clip: str | None = None, sample: int | None = None, fps: float | None = None
) -> Motion:
    """A reaction of `predictions.npz` of an evaluation, or of `reaction.npz` of `jaxreact.react`.

    `clip` is its name or its number from 0, `sample` the number of the reaction to it; the first
    where None, which is said on stderr where there are several. `fps` is by default the file's own:
    25, or of whole clips their data set's. Raises `UserError` as `read_reactions` does, and for a
    sample or a rate that cannot be.
    """
    named = "0" if clip is None else clip
    reactions = read_reactions(path, Recording(clip=named))
    coeffs, rate, clips = reactions.coeffs, float(FPS), _clips(path)
    if holds_whole(path):
        whole = read_whole(path)
        assert whole.coeffs is not None
        rate, clips = whole.rate, len(whole.clips)
        coeffs = whole.coeffs[find_clip(path, named, clips, whole.clips)]
    samples = len(coeffs)
    if sample is not None and not 0 <= sample < samples:
        are = f"its samples are 0 to {samples - 1}" if samples > 1 else "its one sample is 0"
        raise UserError(f"--sample {sample}: not in {path}; {are}")
    if not reactions.frames:
        raise UserError(f"{path}: its reactions have no frames; give reactions to a clip")
    if clip is None and clips > 1:
        print(f"{path}: {clips} clips; the first is written (--clip)", file=sys.stderr)
    if sample is None and samples > 1:
        print(f"{path}: {samples} samples; the first is written (--sample)", file=sys.stderr)
    title = f"{reactions.clip}, sample {sample or 0}"
    return motion_of(coeffs[sample or 0], rate if fps is None else fps, title, rate)


def _clips(path: Path) -> int:
    """How many clips a file of reactions has, whether it names them or not."""
    coeffs = map_npz(path).get("coeffs")
    return len(coeffs) if coeffs is not None and coeffs.ndim == 4 else 1


def motion_of(
    coeffs: Float[np.ndarray, "frames 58"], fps: float = FPS, title: str = "", rate: float = FPS
) -> Motion:
    """Raw coefficients at `rate` frames a second as a motion at another.

    Linear in time, angles by the shorter way; it ends with the last frame that is not after
    theirs. Raises `UserError` for coefficients that are not finite, and a rate outside `RATES`.
    """
    if not RATES[0] <= fps <= RATES[1]:
        raise UserError(f"--fps {fps:g}: choose {RATES[0]:g} to {RATES[1]:g} frames a second")
    given = unwrap_angles(check_coeffs(coeffs).astype(np.float64))
    given[:, EXPRESSION] = given[:, EXPRESSION].clip(0, 1)
    smooth = coeffs_at(given, rate, fps)
    return Motion(smooth, float(fps), title)
