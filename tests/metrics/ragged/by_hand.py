"""The definitions of the scores of clips of any lengths, as plain loops over plain numbers."""

import numpy as np

from tests.metrics.test_scores import smooth

BLOCKS = ((0, 15, 1 / 15), (15, 17, 1.0), (17, 25, 1 / 8))


def clips(*lengths: int, samples: int = 3, seed: int = 0) -> list[np.ndarray]:
    """Reactions of these lengths, not rounded."""
    return [smooth(samples, frames, 25, seed=seed + n) for n, frames in enumerate(lengths)]


def targets(*lengths: tuple[int, ...], seed: int = 50) -> list[list[np.ndarray]]:
    """For each clip listeners of these lengths, with action units of 0 and 1."""
    rows = []
    for n, clip in enumerate(lengths):
        rows.append([smooth(frames, 25, seed=seed + 20 * n + m) for m, frames in enumerate(clip)])
        for sequence in rows[-1]:
            sequence[:, :15] = sequence[:, :15] > 0.5
    return rows


def ccc(x: np.ndarray, y: np.ndarray) -> float:
    """Mean over channels of the concordance correlation; NaN correlations are 0."""
    total = 0.0
    for c in range(25):
        a, b = x[:, c].astype(float), y[:, c].astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = ((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std())
        r = 0.0 if np.isnan(r) else r
        below = a.var() + b.var() + (a.mean() - b.mean()) ** 2 + 1e-8
        total += 2 * r * a.std() * b.std() / below
    return total / 25


def warped(x: np.ndarray, y: np.ndarray) -> float:
    """DTW(AU) / 15 + DTW(VA) + DTW(EXP) / 8."""
    total = 0.0
    for first, last, weight in BLOCKS:
        sums = np.full((len(x) + 1, len(y) + 1), np.inf)
        sums[0, 0] = 0
        for i in range(len(x)):
            for j in range(len(y)):
                step = x[i, first:last].astype(float) - y[j, first:last]
                before = min(sums[i, j], sums[i, j + 1], sums[i + 1, j])
                sums[i + 1, j + 1] = (step * step).sum() + before
        total += weight * np.sqrt(sums[-1, -1])
    return total


def stretched(y: np.ndarray, frames: int) -> np.ndarray:
    """Linear in time, action units of the nearest frame."""
    places = np.linspace(0, len(y) - 1, frames)
    rows = np.stack([np.interp(places, np.arange(len(y)), y[:, c]) for c in range(25)], axis=1)
    for t in range(frames):
        rows[t, :15] = y[int(np.floor(places[t] + 0.5 + 1e-9)), :15]
    return rows


def best_lag(x: np.ndarray, y: np.ndarray, most: int) -> int:
    """|lag| of the best mean correlation, of frames that all vary in every window."""
    frames = min(len(x), len(y))
    x, y = x[:frames].astype(float), y[:frames].astype(float)
    course = []
    for lag in range(-most, most + 1):
        a, b = x[max(lag, 0) : frames + min(lag, 0)], y[max(-lag, 0) : frames - max(lag, 0)]
        course.append(np.mean([np.corrcoef(a[:, c], b[:, c])[0, 1] for c in range(25)]))
    return abs(int(np.argmax(course)) - most)


def spread(clip: np.ndarray) -> float:
    """Mean squared difference over ordered pairs of samples."""
    samples = len(clip)
    pairs = [(clip[a].astype(float) - clip[b]) ** 2 for a in range(samples) for b in range(samples)]
    return float(sum(each.mean() for each in pairs)) / (samples * (samples - 1))


def variance(clip: np.ndarray) -> float:
    """Unbiased, over time, mean over samples and channels."""
    rows = clip.astype(float)
    around = rows - rows.mean(axis=1, keepdims=True)
    return float((around**2).sum(axis=1).mean() / (clip.shape[1] - 1))
