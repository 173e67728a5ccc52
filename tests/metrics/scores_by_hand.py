"""Clip scores made up for tests of what is done with them."""

import dataclasses

import numpy as np

from jaxreact.metrics import CHALLENGE, ClipScores
from jaxreact.metrics.parts import ClipDistances, ClipValues

SUMMED = ("FRC", "FRD")


def clip_scores(predictions, rng, samples=10, mode="corrected", **given) -> ClipScores:
    """The challenge's scores of as many clips as `predictions` (clips, features) has vectors.

    The distances are those of the vectors; every other score is noise unless it is given by its
    name, and FRSyn_samples over how many samples that is a mean.
    """
    vectors = np.asarray(predictions, np.float64)
    clips = len(vectors)
    values = {name: rng.gamma(2.0, 1.0, clips) for name in ("FRC", "FRD", "FRVar", "FRDiv")}
    values["FRSyn"] = 49 * rng.random(clips)
    parts = {name: ClipValues(value, summed=name in SUMMED) for name, value in values.items()}
    parts["FRSyn"] = dataclasses.replace(parts["FRSyn"], samples=np.full(clips, float(samples)))
    distances = np.square(vectors[:, None] - vectors).mean(axis=-1)
    scores = ClipScores(
        mode=mode,
        samples=samples,
        frames=736,
        neighbours=np.ones(clips, int),
        scores=CHALLENGE,
        parts=parts | {"FRDvs": ClipDistances(distances)},
    )
    return changed(scores, **given)


def changed(scores: ClipScores, **given) -> ClipScores:
    """The same with other values of the scores that are named, or other fields."""
    parts = dict(scores.parts)
    if "FRSyn_samples" in given:
        samples = np.asarray(given.pop("FRSyn_samples"), float)
        parts["FRSyn"] = dataclasses.replace(parts["FRSyn"], samples=samples)  # pyright: ignore
    for name in parts.keys() & given.keys():
        parts[name] = dataclasses.replace(parts[name], values=np.asarray(given.pop(name), float))  # pyright: ignore
    return dataclasses.replace(scores, parts=parts, **given)
