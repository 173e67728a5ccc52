"""`python -m jaxreact.export` from the command line."""

import re
from pathlib import Path

import numpy as np
import pytest

from jaxreact.commands import run_command
from jaxreact.export.command import main
from jaxreact.tracking.live_link import track_live_link
from tests.rendering.files import moving


@pytest.fixture
def reaction(tmp_path) -> Path:
    path = tmp_path / "reaction.npz"
    emotion = np.zeros((2, 26, 25), np.float32)
    np.savez(path, coeffs=moving(2, 26), emotion=emotion, fps=25)
    return path


def command(monkeypatch, *words: object) -> None:
    monkeypatch.setattr("sys.argv", ["export", *map(str, words)])
    run_command(main)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("arkit-csv", ".csv"), ("arkit-json", ".json"), ("bvh", ".bvh"), ("flame", ".npz")],
)
def test_every_format_is_written(reaction, name, suffix, monkeypatch, capsys):
    out = reaction.parent / "made" / f"face{suffix}"
    command(monkeypatch, name, reaction, out, "--sample", "1", "--fps", "60")
    assert capsys.readouterr() == (f"{out}\n", "")
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert out.stat().st_size > 500


def test_the_rate_and_the_sample_are_those_asked_for(reaction, monkeypatch):
    out = reaction.parent / "face.csv"
    command(monkeypatch, "arkit-csv", reaction, out, "--sample", "1", "--fps", "100")
    assert len(out.read_text().splitlines()) == 1 + 101
    read = track_live_link(out).coeffs
    # The last line is at 1 s and lasts for 10 ms, which fill no frame.
    np.testing.assert_allclose(read[:, :55], moving(2, 26)[1, :25, :55], atol=1e-4)


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("face.json", "OUT .*face.json: arkit-csv is written as .csv; end its name so"),
        ("reaction.npz/face.csv", "OUT: .*reaction.npz is a file, not a directory"),
        ("folder.csv", "folder.csv: is a folder; name a file"),
    ],
)
def test_what_cannot_be_written_is_one_line(reaction, out, words, monkeypatch, capsys):
    (reaction.parent / "folder.csv").mkdir()
    with pytest.raises(SystemExit) as stopped:
        command(monkeypatch, "arkit-csv", reaction, reaction.parent / out, "--sample", 0)
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(words, error), error
