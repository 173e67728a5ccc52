"""`python -m jaxreact.metrics compare` of two files of results."""

import json
from dataclasses import replace

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.predictions.whole import WholePredictions, write_whole
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
    assert "FRSyn needs the speakers, which no such file holds" in text
    assert "3 clips are too few to show any difference at this level" in text


def test_by_the_challenges_rules_both_have_the_same_targets(folder):
    """Ten of twelve are drawn: of equal predictions nothing differs."""
    suiting = targets((24,) * 12, (31,), (40,))
    for name in ("a.npz", "b.npz"):
        write(folder, suiting, name=name)
    run("compare", "a.npz", "b.npz", "--mode", "react2026", "--draws", 2, "--json", "c.json")
    written = json.loads((folder / "c.json").read_text())
    assert sum("of another draw of ten targets" in note for note in written["notes"]) == 2
    assert {each["value"] for each in written["differences"].values()} == {0.0}


def test_how_far_draws_move_each_is_said_of_each(folder):
    suiting = targets((24,) * 12, (31,), (40,))
    write(folder, suiting, name="a.npz")
    write(folder, suiting, OTHERS, name="b.npz")
    run("compare", "a.npz", "b.npz", "--mode", "react2026", "--draws", 2, "--json", "c.json")
    notes = json.loads((folder / "c.json").read_text())["notes"]
    for system, predicted in {"A": PREDICTED, "B": OTHERS}.items():
        spread = metrics.over_draws(predicted, suiting, draws=2)[1]["FRC"]
        words = f"{system}: FRC of another draw of ten targets: {spread.low:.4f} to"
        assert sum(note.startswith(words) for note in notes) == 1


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


def test_what_is_wrong_with_a_file_itself_comes_first(folder):
    write(folder, SUITING, name="a.npz")
    (folder / "text.pt").write_text("hello")
    for pair in (("a.npz", "text.pt"), ("text.pt", "a.npz")):
        assert refused("compare", *pair).startswith("text.pt: not a readable checkpoint")
    assert refused("compare", "a.npz", "none.pt") == "none.pt: no such file"


def test_whole_clips_by_their_conversations(folder):
    """Predictions of two evaluations have speakers and names, by which clips are told apart."""
    made = [whole(seed) for seed in (0, 1)]
    for name, each in zip("ab", made, strict=True):
        write_whole(folder / f"{name}.npz", each)
    run("compare", "a.npz", "b.npz", "--resamples", 100, "--json", "c.json")
    written = json.loads((folder / "c.json").read_text())
    assert written["unit"] == "conversation"
    assert "intervals: 100 resamples of 2 conversations" in written["notes"][0]
    first, second = (
        metrics.evaluate(each.emotion, each.targets, each.speaker, fps=30) for each in made
    )
    assert [*written["differences"]] == ["FRC", "FRD", "FRDvs", "FRVar", "FRDiv", "FRSyn"]
    for name, found in written["differences"].items():
        assert found["value"] == pytest.approx(second[name] - first[name])
    other = replace(made[1], clips=("session0/speaker/a", "session2/speaker/b"))
    write_whole(folder / "b.npz", other)
    words = "b.npz: clip 1 is session2/speaker/b, in a.npz session1/speaker/b"
    assert refused("compare", "a.npz", "b.npz") == words


def whole(seed: int) -> WholePredictions:
    """Two clips of sessions of their own; only the reactions depend on `seed`."""
    speaker, listener = ([each[0] for each in clips(66, 80, seed=n)] for n in (10, 20))
    return WholePredictions(
        emotion=clips(66, 80, seed=seed),
        coeffs=None,
        listener=listener,
        speaker=speaker,
        neighbours=np.eye(2, dtype=bool),
        rate=30.0,
        clips=("session0/speaker/a", "session1/speaker/b"),
    )
