"""The head alone as parameters of FLAME."""

from pathlib import Path

import numpy as np

from jaxreact.export.motion import Motion
from jaxreact.export.pose import rotations, translations
from jaxreact.files import replacing


def write_flame(path: Path, motion: Motion) -> None:
    """Writes an npz of what `smplx.FLAME` takes by these names, in float32.

    `global_orient` (frames, 3): the rotation as an axis times an angle (radians). `transl`
    (frames, 3): metres. `mocap_framerate`: frames a second, a number, under the name that AMASS has
    for it. FLAME's expressions are components of its own scans, to which no table from ARKit's
    weights is known that could be trusted; they, jaw, neck and eyes are left out.
    """
    with replacing(path) as temporary:
        np.savez(
            temporary,
            global_orient=rotations(motion.coeffs).as_rotvec().astype(np.float32),
            transl=translations(motion.coeffs).astype(np.float32),
            mocap_framerate=np.float64(motion.fps),
        )
