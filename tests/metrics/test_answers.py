"""Nods after pauses and mirrored smiles, on faces whose nods and smiles are put there by hand."""

import math

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import UserError
from jaxreact.face import FPS, INDEX, PITCH
from jaxreact.metrics.behaviour import (
    nod_rate_after_pauses,
    nod_starts,
    nods_soon,
    pause_starts,
    smile_mirroring,
)

FRAMES = 500
BOTH = [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]


def speech(*pauses: int) -> np.ndarray:
    """(FRAMES,) of speech that pauses for a second at these frames."""
    active = np.ones(FRAMES, bool)
    for start in pauses:
        active[start : start + FPS] = False
    return active


def nodding(*starts: int) -> np.ndarray:
    """(FRAMES, 58) of a face that nods twice, 0.8 s, from each of these frames on."""
    coeffs = np.zeros((FRAMES, 58), np.float32)
    for start in starts:
        phase = np.clip((np.arange(FRAMES) - start) / FPS * 2.5, 0, 2)
        coeffs[:, PITCH] += 0.04 * (1 - np.cos(2 * np.pi * phase))
    return coeffs


def faces_of(reactions: np.ndarray, speaking: np.ndarray | None) -> metrics.Faces:
    """Reactions (N, K, T, 58), to speakers whose faces do not matter."""
    recorded = np.zeros((len(reactions), *reactions.shape[2:]), np.float32)
    return metrics.Faces(reactions, recorded, recorded, speaking)


def test_nods_by_hand():
    """Two pauses, one answered; the nod that answers is one of two of the clip."""
    active = speech(100, 300)
    reaction = nodding(108, 400)
    assert nod_starts(reaction).sum() == 2
    assert pause_starts(active).tolist() == [100, 300]
    by_chance = 2 * (2 * FPS / FRAMES)  # two windows of a second, two nods in 500 frames
    expected = (1 - by_chance) / (2 / 60)
    assert metrics.nods(faces_of(reaction[None, None], active[None])) == pytest.approx(expected)


def test_chance_is_the_mean_over_all_moves_of_the_pauses():
    rng = np.random.default_rng(0)
    reaction = nodding(*rng.choice(np.arange(20, 480, 40), 7, replace=False))
    active = speech(60, 200, 330, 470)
    pauses = pause_starts(active)
    soon = nods_soon(nod_starts(reaction))
    counts = [soon[(pauses + move) % FRAMES].sum() for move in range(FRAMES)]
    expected = 60 * (counts[0] - np.mean(counts)) / len(pauses)
    found = metrics.nods(faces_of(reaction[None, None], active[None]))
    assert found == pytest.approx(expected)
    timing = nod_rate_after_pauses(reaction, active, rng, shifts=4000)
    assert found == pytest.approx(timing.rate - timing.chance, abs=1.0)


def test_whoever_nods_at_any_time_or_never_has_none_above_chance():
    rng = np.random.default_rng(0)
    active = np.stack(
        [speech(*(60 + 100 * np.arange(4) + rng.integers(-20, 20))) for _ in range(60)]
    )
    anyhow = np.stack([[nodding(*rng.choice(np.arange(20, 480, 25), 6))] for _ in range(60)])
    answers = np.stack([[nodding(*(pause_starts(clip) + 8))] for clip in active])
    assert metrics.nods(faces_of(anyhow, active)) == pytest.approx(0.0, abs=5.0)
    assert metrics.nods(faces_of(answers, active)) > 40
    assert metrics.nods(faces_of(np.zeros_like(anyhow), active)) == 0.0
    before = np.stack([[nodding(*(pause_starts(clip) - 50))] for clip in active])
    assert metrics.nods(faces_of(before, active)) < -5


def test_samples_and_clips_of_nods_are_pooled():
    """A clip without pauses takes no part, another counts as much as it has pauses."""
    active = np.stack([speech(100), speech(100, 300), np.ones(FRAMES, bool)])
    one = np.stack([nodding(108), nodding(108), nodding(108)])[:, None]
    nothing, faces = np.zeros((3, FRAMES, 25)), faces_of(one, active)
    parts = metrics.clipwise(nothing[:, None], nothing, nothing, np.eye(3), faces=faces)["Nods"]
    values = parts.values
    np.testing.assert_allclose(parts.weights * 60, [1, 2, 0])
    assert np.isnan(values[2])
    assert parts.total == pytest.approx((values[0] + 2 * values[1]) / 3)
    copies = faces_of(np.repeat(one, 3, axis=1), active)
    assert metrics.nods(copies) == pytest.approx(parts.total)
    nobody = faces_of(one, np.ones_like(active))
    assert math.isnan(metrics.nods(nobody))


def test_without_sound_nobody_knows_of_pauses():
    with pytest.raises(UserError, match="whether the speaker speaks is not known"):
        metrics.nods(faces_of(nodding()[None, None], None))


def smiling(tracks: np.ndarray) -> np.ndarray:
    coeffs = np.zeros((*tracks.shape, 58), np.float32)
    coeffs[..., BOTH] = tracks[..., None]
    return coeffs


@pytest.fixture
def tracks() -> np.ndarray:
    """Eight smooth smiles of 600 frames."""
    rng = np.random.default_rng(0)
    return np.stack([np.convolve(rng.normal(size=640), np.hanning(30), "valid") for _ in range(8)])


def test_smiles_are_the_correlation_of_smile_mirroring(tracks):
    speaker = smiling(tracks[:, 50:550])
    late = smiling(0.3 * tracks[:, 30:530])[:, None]
    faces = metrics.Faces(late, speaker, speaker)
    found = smile_mirroring(late[:, 0], speaker)
    assert found.lag == 20 / FPS
    assert metrics.smiles(faces) == pytest.approx(found.correlation, abs=1e-9)
    assert metrics.smiles(faces) > 0.98
    copies = np.repeat(late, 3, axis=1)
    assert metrics.smiles(faces.of(copies)) == pytest.approx(found.correlation, abs=1e-9)


def test_who_copies_has_one_who_smiles_alone_about_none_and_who_never_does_no_score(tracks):
    speaker = smiling(tracks[:, 50:550])
    faces = metrics.Faces(speaker[:, None], speaker, speaker)
    assert metrics.smiles(faces) == pytest.approx(1.0)
    assert abs(metrics.smiles(faces.of(np.roll(speaker, 1, axis=0)[:, None]))) < 0.3
    assert math.isnan(metrics.smiles(faces.of(np.zeros_like(speaker[:, None]))))


def test_what_each_clip_adds_has_the_score_as_its_mean(tracks):
    speaker = smiling(tracks[:, 50:550])
    reactions = np.stack([smiling(tracks[:, 40:540]), np.roll(speaker, 1, axis=0)], axis=1)
    nothing = np.zeros((8, 500, 25))
    faces = metrics.Faces(reactions, speaker, speaker)
    parts = metrics.clipwise(np.zeros((8, 2, 500, 25)), nothing, nothing, np.eye(8), faces=faces)
    assert parts["Smiles"].values.mean() == pytest.approx(metrics.smiles(faces))
    assert parts["Smiles"].total == metrics.smiles(faces)
