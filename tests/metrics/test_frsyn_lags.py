"""Which lags FRSyn compares, and how it decides between them."""

import numpy as np
import pytest

from jaxreact.metrics.frsyn import offsets


def agreeing(frames: int, *lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples that are the speaker at one lag each and noise elsewhere."""
    random = np.random.default_rng(0)
    speaker = random.random((1, frames, 25))
    samples = random.random((1, len(lags), frames, 25))
    for sample, lag in enumerate(lags):
        if lag >= 0:
            samples[0, sample, lag:] = speaker[0, : frames - lag]
        else:
            samples[0, sample, :lag] = speaker[0, -lag:]
    return samples, speaker


def test_both_signs_of_a_lag_and_the_longest():
    assert offsets(*agreeing(100, 0, 3, -3, 49, -49)).tolist() == [[0, 3, 3, 49, 49]]


@pytest.mark.parametrize(("frames", "longest"), [(60, 35), (30, 15), (51, 26)])
@pytest.mark.parametrize("sign", [1, -1])
def test_windows_of_less_than_a_second_take_no_part(frames, longest, sign):
    """Of a clip shorter than two seconds, half of it: 51 frames leave 25, 30 leave 15."""
    found = offsets(*agreeing(frames, sign * longest, sign * (longest + 1)))[0]
    assert found[0] == longest
    assert found[1] <= longest


def test_the_best_lag_is_that_of_most_channels():
    samples, speaker = agreeing(100, 7, 20)
    early, late = samples[0]
    mixed = np.concatenate([early[:, :13], late[:, 13:]], axis=-1)
    assert offsets(mixed[None, None], speaker).tolist() == [[7]]
    mixed = np.concatenate([early[:, :12], late[:, 12:]], axis=-1)
    assert offsets(mixed[None, None], speaker).tolist() == [[20]]
