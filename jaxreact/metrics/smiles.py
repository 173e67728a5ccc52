"""Smiles: whether a listener smiles back."""

import numpy as np

from jaxreact.metrics.behaviour import smile_products
from jaxreact.metrics.correlations import ClipCorrelations
from jaxreact.metrics.faces import Faces
from jaxreact.metrics.score import Reactions, Score


def smiles(faces: Faces) -> float:
    """Correlation of a listener's smile with the speaker's before it, at the best lag, -1 to 1.

    Smiles = max over lags of 0 to 3 s of Pearson's correlation of P's smile at t with S's at
    t - lag, pooled over clips, samples and frames; a smile is the mean of both corners of the mouth
    (mouthSmileLeft and Right), less its mean over the clip.

    Who copies the speaker at once, as Mime does, has 1, which people do not: their own value is the
    one to reach. Somebody else's listener has about 0, or a little more, as the best of many lags
    does. NaN where nobody smiles. Source: this project's own, `behaviour.smile_mirroring`.
    """
    return _correlations(faces).total


def _correlations(faces: Faces) -> ClipCorrelations:
    pairs = zip(faces.predicted, faces.speaker, strict=True)
    return ClipCorrelations(
        np.stack(
            [
                smile_products(reactions, np.broadcast_to(speaker, reactions.shape))
                for reactions, speaker in pairs
            ]
        )
    )


def _of_clips(reactions: Reactions) -> ClipCorrelations:
    assert reactions.faces is not None
    return _correlations(reactions.faces)


SMILES = Score(
    name="Smiles",
    of_clips=_of_clips,
    meaning="How well the smile follows the speaker's: their correlation at the best lag of 0 to 3"
    " s. Who smiles on his own has about 0, who copies the speaker at once 1; people's own value is"
    " the one to reach. Ours, not the challenge's.",
    of_people=True,
    needs="faces",
    family="ours",
)
