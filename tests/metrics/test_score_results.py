"""`python -m jaxreact.metrics score results.pt` as a user: a file in, a table and JSON out."""

import json

import numpy as np
import pytest

from jaxreact import metrics
from jaxreact.errors import ArgumentError, Remark, UserError
from tests.metrics.ragged.by_hand import clips, targets
from tests.metrics.test_command import run

PREDICTED = clips(24, 31, 40)
NAMES = ("FRC", "FRD", "FRVar", "FRDiv")


def write(folder, suiting, predicted=PREDICTED, name="results.npz"):
    """An npz file, which needs no torch."""
    arrays = {f"PRED_{n}": each for n, each in enumerate(predicted)}
    arrays |= {f"GT_{n}": np.stack(each) for n, each in enumerate(suiting)}
    np.savez(folder / name, **arrays)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("mode", metrics.RAGGED_MODES)
def test_scores_with_intervals_over_clips(folder, capsys, mode):
    suiting = targets((24,) * 3, (31,) * 2, (40,))
    write(folder, suiting)
    run("score", "results.npz", "--mode", mode, "--json", "s.json", "--resamples", 300)
    text, written = capsys.readouterr().out, json.loads((folder / "s.json").read_text())
    expected = metrics.evaluate(PREDICTED, suiting, mode=mode)
    assert written["scores"] == {name: expected[name] for name in NAMES}
    ranges = metrics.intervals(metrics.clipwise(PREDICTED, suiting, mode=mode), resamples=300)
    assert written["intervals"] == {name: [ranges[name].low, ranges[name].high] for name in NAMES}
    assert written["draws_intervals"] == {}
    assert written["mode"] == mode
    assert f"3 clips of 24 to 40 frames, 3 samples each, mode {mode}\n" in text
    assert f"{expected['FRD']:.2f}" in text or f"{expected['FRD']:.4f}" in text
    assert ("nothing was drawn" in text) == (mode == "react2026")
    assert "FRSyn needs the speakers" in text


def test_intervals_over_draws(folder, capsys):
    suiting = targets((24,) * 12, (31,), (40,))
    write(folder, suiting)
    draws = ("--draws", 3, "--seed", 4)
    run("score", "results.npz", "--mode", "react2026", *draws, "--json", "s.json")
    written = json.loads((folder / "s.json").read_text())
    _, spread = metrics.over_draws(PREDICTED, suiting, draws=3, seed=4)
    assert written["draws_intervals"]["FRC"] == [spread["FRC"].low, spread["FRC"].high]
    assert written["scores"]["FRC"] == pytest.approx(spread["FRC"].value)
    assert "FRC of another draw of ten targets: " in capsys.readouterr().out


def test_targets_of_other_lengths(folder, capsys):
    suiting = targets((24,), (30,), (40,))
    write(folder, suiting)
    run("score", "results.npz", "--json", "s.json")
    assert json.loads((folder / "s.json").read_text())["scores"]["FRD"] == metrics.frd(
        PREDICTED, suiting
    )
    capsys.readouterr()
    run("score", "results.npz", "--mode", "react2026", "--json", "s.json")
    assert list(json.loads((folder / "s.json").read_text())["scores"]) == ["FRVar", "FRDiv"]
    assert "FRC and FRD of targets that are not as long as their" in capsys.readouterr().out


def refused(*arguments):
    with pytest.raises(UserError) as error:
        run(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_options_of_other_files(folder):
    write(folder, targets((24,), (31,), (40,)))
    assert "mode 'original' does not exist" in refused("score", "results.npz", "--mode", "original")
    message = refused("score", "results.npz", "--neighbours", "n.npy", "--frames", 8, "--baselines")
    assert message.startswith("results.npz: holds clips of their own lengths")
    assert message.endswith("leave out --neighbours, --frames, --baselines")
    message = refused("score", "results.npz", "--by", "conversation")
    assert message.endswith("leave out --by conversation")
    with pytest.raises(ArgumentError, match="--draws 1 cannot show any spread"):
        run("score", "results.npz", "--draws", 1)
    np.savez("p.npz", emotion=np.stack([PREDICTED[0]] * 2))
    expected = "p.npz: --mode react2026 is for a results.pt, with GT and PRED in it"
    assert refused("score", "p.npz", "--mode", "react2026") == expected


def test_emotion_of_another_scale_is_said(folder):
    write(folder, targets((24,), (31,), (40,)), [100 * each for each in PREDICTED])
    with pytest.warns(Remark, match=r"results\.npz: emotion up to .*percent\?, and 2 clips more"):
        run("score", "results.npz")


def test_an_alignment_is_looked_at_though_it_has_nothing_to_do(folder):
    write(folder, targets((24,), (31,), (40,)))
    told = ("--mode", "react2026", "--alignment", "none")
    assert "none" in refused("score", "results.npz", *told)
