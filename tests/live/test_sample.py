"""The conversation to try the page with is one that there is something to react to."""

from io import BytesIO

import av
import numpy as np

from jaxreact.face import INDEX
from jaxreact.live.sample import SECONDS, sample


def test_somebody_talks_and_smiles():
    found = sample()
    assert found.coeffs.shape == (25 * SECONDS, 58)
    jaw, smile = (found.coeffs[:, INDEX[name]] for name in ("jawOpen", "mouthSmileLeft"))
    assert np.mean(np.abs(np.diff(jaw)) > 0.01) > 0.3
    smiles = np.flatnonzero(np.diff((smile > 0.3).astype(int)) == 1)
    assert len(smiles) >= 2
    with av.open(BytesIO(found.sound), "r") as container:
        sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert abs(len(sound) / 44100 - SECONDS) < 0.1
    assert np.sqrt(np.mean(sound**2)) > 0.02
