"""Cause, effect and variety in predicted reactions, beside the truth and chance."""

from pathlib import Path
from typing import Any

import numpy as np

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import Dyad
from jaxreact.face import FPS
from jaxreact.metrics.behaviour import nod_rate_after_pauses, smile_mirroring, voice_activity
from jaxreact.predictions import Predictions, read_predictions

SPLIT = "val"


def _read(data: Path, path: Path) -> tuple[Conversations, list[Dyad], Predictions]:
    source = open_conversations(data)
    return source, source.dyads(SPLIT), read_predictions(path)


def speech(source: Conversations, dyads: list[Dyad], frames: int) -> np.ndarray:
    """When the speakers speak, (clips, frames)."""
    activity = np.zeros((len(dyads), frames), bool)
    for row, dyad in zip(activity, dyads, strict=True):
        found = voice_activity(*source.sound(dyad.speaker, frames / FPS))[:frames]
        row[: len(found)] = found
    return activity


def behaviour(data: Path, predictions: Path, seed: int) -> dict[str, Any]:
    """Nods a minute in the second after a pause, and mirrored smiles, of the model and others.

    "truth" are the recorded listeners, "mime" is the speaker's own face; the `chance` of nods is
    that of the same reaction to the same pauses at random times. For smiles, "chance" is the model
    paired with the speaker of another clip.
    """
    source, dyads, made = _read(data, predictions)
    assert made.coeffs is not None
    frames = made.coeffs.shape[2]
    speaker, truth = (
        np.stack([source.coeffs(getattr(dyad, role))[:frames] for dyad in dyads])
        for role in ("speaker", "listener")
    )
    active = speech(source, dyads, frames)

    def pooled(faces: np.ndarray, partner: np.ndarray) -> dict[str, float]:
        """All samples of all clips as one pool."""
        count = faces.shape[1]
        nods = nod_rate_after_pauses(
            faces.reshape(-1, frames, 58),
            np.repeat(active, count, axis=0),
            np.random.default_rng(seed),
            shifts=200,
        )
        smiles = smile_mirroring(faces.reshape(-1, frames, 58), np.repeat(partner, count, axis=0))
        return {
            "nods": nods.rate,
            "nods_chance": nods.chance,
            "nods_p": nods.p_value,
            "smile_correlation": smiles.correlation,
            "smile_lag": smiles.lag,
        }

    return {
        "model": pooled(made.coeffs, speaker),
        "truth": pooled(truth[:, None], speaker),
        "mime": pooled(speaker[:, None], speaker),
        "chance": pooled(made.coeffs, np.roll(speaker, 1, axis=0)),
    }


def variety(data: Path, predictions: Path, seed: int) -> dict[str, float]:
    """Mean squared difference of two reactions' emotion, as FRDiv counts it.

    "model": two samples for one clip; "truth": two listeners who suit the same clip; "chance": two
    listeners of any clips.
    """
    source, dyads, made = _read(data, predictions)
    matrix = source.neighbours(SPLIT, len(dyads)) == 1
    listener = made.listener
    assert listener is not None
    pairs = [(i, j) for i, row in enumerate(matrix) for j in np.flatnonzero(row).tolist() if i != j]
    rng = np.random.default_rng(seed)
    others = [(i, int(j)) for i in range(len(dyads)) for j in rng.permutation(len(dyads)) if i != j]

    def apart(which: list[tuple[int, int]]) -> float:
        one, other = np.array(which).T
        return float(np.mean((listener[one] - listener[other]) ** 2))

    emotion = made.emotion.astype(np.float64)
    return {
        "model": float(2 * np.var(emotion, axis=1, ddof=1).mean()),
        "truth": apart(pairs),
        "chance": apart(others),
    }
