"""`python -m jaxreact.metrics compare` of two files of results."""

import json

import numpy as np
import pytest

from jaxreact import metrics
from tests.metrics.ragged.by_hand import clips, targets
from tests.metrics.test_command import run
from tests.metrics.test_score_results import PREDICTED, folder, refused, write

__all__ = ["folder"]
OTHERS = [each[:, ::-1].copy() for each in PREDICTED]
SUITING = targets((24,) * 3, (31,) * 2, (40,))


def test_differences_are_those_of_each_ones_scores(folder, capsys):
    write(folder, SUITING, name="a.npz")
    write(folder, SUITING, OTHERS, name="b.npz")
    run("compare", "a.npz", "b.npz", "--resamples", 100, "--json", "c.json")
    written = json.loads((folder / "c.json").read_text())
    first, second = (metrics.evaluate(each, SUITING) for each in (PREDICTED, OTHERS))
    assert [*written["differences"]] == ["FRC", "FRD", "FRVar", "FRDiv"]
    for name, found in written["differences"].items():
        assert found["value"] == pytest.approx(second[name] - first[name])
    text = capsys.readouterr().out
    assert "A a.npz\nB b.npz\n3 clips of 24 to 40 frames" in text
    assert "3 clips are too few to show any difference at this level" in text


def test_by_the_challenges_rules_both_have_the_same_targets(folder):
    """Ten of twelve are drawn: of equal predictions nothing differs."""
    suiting = targets((24,) * 12, (31,), (40,))
    for name in ("a.npz", "b.npz"):
        write(folder, suiting, name=name)
    run("compare", "a.npz", "b.npz", "--mode", "react2026", "--draws", 2, "--json", "c.json")
    written = json.loads((folder / "c.json").read_text())
    assert {each["value"] for each in written["differences"].values()} == {0.0}


@pytest.mark.parametrize(
    ("suiting", "predicted", "words"),
    [
        (SUITING[:2], PREDICTED[:2], "b.npz: 2 clips, a.npz has 3; only the same clips can"),
        (SUITING, clips(24, 30, 40), "b.npz: clip 1 has shape (3, 30, 25), in a.npz (3, 31, 25)"),
        (targets((24,) * 2, (31,) * 2, (40,)), PREDICTED, "b.npz: clip 0 has other targets than"),
        (targets((24,) * 3, (30,) * 2, (40,)), PREDICTED, "b.npz: clip 1 has other targets than"),
    ],
)
def test_other_clips_are_refused(folder, suiting, predicted, words):
    write(folder, SUITING, name="a.npz")
    write(folder, suiting, predicted, name="b.npz")
    assert words in refused("compare", "a.npz", "b.npz")


def test_one_alone_is_refused(folder):
    write(folder, SUITING, name="a.npz")
    np.savez("p.npz", emotion=np.stack([PREDICTED[0]] * 2))
    for pair in (("a.npz", "p.npz"), ("p.npz", "a.npz")):
        assert "p.npz: no results of whole clips, which a.npz holds" in refused("compare", *pair)
