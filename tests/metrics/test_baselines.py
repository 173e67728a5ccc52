import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.metrics import BASELINES, baseline, mean_reaction


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    return rng.random((3, 20, 25), np.float32), rng.random((3, 20, 25), np.float32)


def test_shapes(clips):
    mean = mean_reaction(clips[0], 20)
    for name in BASELINES:
        assert baseline(name, *clips, samples=4, training_mean=mean).shape == (3, 4, 20, 25)


def test_what_each_predicts(clips):
    listener, speaker = clips
    mean = mean_reaction(listener, 20)
    options = {"samples": 2, "training_mean": mean}
    np.testing.assert_array_equal(baseline("gt", *clips, **options)[:, 1], listener)
    np.testing.assert_array_equal(baseline("mime", *clips, **options)[:, 1], speaker)
    sequence = baseline("mean-sequence", *clips, **options)
    np.testing.assert_allclose(sequence[2, 1], listener.mean(axis=0), rtol=1e-6)
    frame = baseline("mean-frame", *clips, **options)
    np.testing.assert_allclose(frame[1, 0, 5], listener.mean(axis=(0, 1)), rtol=1e-6)
    assert not np.ptp(frame, axis=2).any()


def test_random_depends_on_the_seed_alone(clips):
    one = baseline("random", *clips, seed=1)
    np.testing.assert_array_equal(one, baseline("random", *clips[::-1], seed=1))
    assert (one != baseline("random", *clips, seed=2)).any()
    assert one.min() >= 0
    assert one.max() < 1


def test_mean_of_sequences_of_different_length():
    mean = mean_reaction([np.full((4, 25), 1.0), np.full((6, 25), 3.0)], 6)
    np.testing.assert_array_equal(mean[:, 0], [2, 2, 2, 2, 3, 3])
    with pytest.raises(UserError, match="7 frames"):
        mean_reaction([np.zeros((6, 25))], 7)


def test_errors(clips):
    with pytest.raises(UserError, match="choose from gt, mime, random"):
        baseline("mirror", *clips)
    with pytest.raises(UserError, match="needs the training split"):
        baseline("mean-frame", *clips)
    with pytest.raises(UserError, match="has 10 frames, the clips have 20"):
        baseline("mean-sequence", *clips, training_mean=np.zeros((10, 25), np.float32))
