"""How far chance moves the challenge's scores."""

import jax
import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import ArgumentError
from jaxreact.metrics.ragged import draws
from tests.metrics.ragged.by_hand import clips, targets
from tests.metrics.test_scores import smooth

PREDICTED = clips(24, 31, samples=2)


def align(target, length, key):
    return np.asarray(jax.random.uniform(key, (length, 25)))


@pytest.mark.parametrize("stretch", [1, 8])
@pytest.mark.parametrize("suiting", [targets((24,) * 14, (31,)), targets((24,), (29,))])
def test_draws_are_those_of_the_seeds_one_after_another(suiting, stretch, monkeypatch):
    """However many clips are taken at once: each has chance of its own, by its number."""
    monkeypatch.setattr(draws, "STRETCH", stretch)
    scores, spread = metrics.over_draws(PREDICTED, suiting, align=align, draws=4, seed=5)
    assert set(spread) == {"FRC", "FRD"}
    for name, score in (("FRC", metrics.frc), ("FRD", metrics.frd)):
        each = [
            score(PREDICTED, suiting, mode="react2026", align=align, seed=5 + n) for n in range(4)
        ]
        assert spread[name].values == pytest.approx(each)
        assert spread[name].value == pytest.approx(np.mean(each))
        assert metrics.aggregate(scores)[name] == pytest.approx(np.mean(each))
        # Student's t of 3 degrees of freedom at 97.5 %, from tables
        reach = 3.1824 * np.std(each, ddof=1) * np.sqrt(1 + 1 / 4)
        assert spread[name].high - spread[name].value == pytest.approx(reach, rel=1e-4)
        assert spread[name].value - spread[name].low == pytest.approx(reach, rel=1e-4)
        assert reach > 0
    assert metrics.aggregate(scores)["FRVar"] == metrics.frvar(PREDICTED, "react2026")
    assert [score.name for score in scores.scores] == ["FRC", "FRD", "FRVar", "FRDiv"]


def test_few_targets_are_held_at_once(monkeypatch):
    """All draws of one clip come before the next clip."""
    asked = []

    def noting(target, length, key):
        asked.append(length)
        return align(target, length, key)

    monkeypatch.setattr(draws, "STRETCH", 1)
    metrics.over_draws(PREDICTED, targets((20,), (20,)), align=noting, draws=3)
    assert list(dict.fromkeys(asked)) == [24, 31]
    assert asked == sorted(asked)


def test_nothing_is_drawn_of_ten_targets_of_the_right_length():
    suiting = targets((24,) * 10, (31,))
    speaker = [smooth(40, 25), smooth(40, 25)]
    scores, spread = metrics.over_draws(PREDICTED, suiting, speaker)
    assert spread == {}
    assert metrics.aggregate(scores) == metrics.evaluate(
        PREDICTED, suiting, speaker, mode="react2026"
    )


def test_numbers_that_cannot_be():
    suiting = targets((24,), (31,))
    with pytest.raises(ArgumentError, match="draws: 1 cannot show any spread"):
        metrics.over_draws(PREDICTED, suiting, draws=1)
    with pytest.raises(ArgumentError, match=r"level: 1\.0 is not between 0 and 1"):
        metrics.over_draws(PREDICTED, suiting, level=1.0)
    with pytest.raises(ArgumentError, match="the last draw's seed 4294967296 must be"):
        metrics.over_draws(PREDICTED, targets((20,), (31,)), align=align, draws=2, seed=2**32 - 1)
