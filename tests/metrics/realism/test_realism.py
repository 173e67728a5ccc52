"""The command that scores folders and videos, with simple features in the place of Inception's."""

import json
from pathlib import Path

import numpy as np
import pytest
import tyro
from PIL import Image

from jaxreact.errors import UserError
from jaxreact.media.video_writer import write_video
from jaxreact.metrics.__main__ import Commands
from jaxreact.metrics.realism import load as loading
from jaxreact.metrics.realism.command import Realism
from tests.metrics.realism.colour_features import ColourFeatures


def save(folder: Path, values) -> Path:
    folder.mkdir()
    for number, value in enumerate(values):
        Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def asked(monkeypatch) -> list[tuple[Path, bool]]:
    """Replaces the network; what was loaded, and with which resize."""
    calls = []

    def load(directory: Path, *, antialias: bool) -> ColourFeatures:
        calls.append((directory, antialias))
        return ColourFeatures()

    monkeypatch.setattr(loading, "load_inception", load)
    return calls


def test_the_distance_and_what_it_rests_on(tmp_path, asked, capsys):
    generated = save(tmp_path / "generated", [10, 255, 20, 255, 30])
    real = save(tmp_path / "real", [110, 120, 130])
    out = tmp_path / "realism.json"
    Realism(generated, real, Path("net"), every=2, every_real=1, antialias=True, json=out).run()
    printed = capsys.readouterr().out
    assert "FRRea 60000.0000\n" in printed
    assert f"generated: 3 pictures of {generated}\n" in printed
    assert "resized as torchmetrics since 1.8\n" in printed
    assert "3 pictures are fewer than 6: the distance comes out too large" in printed
    assert asked == [(Path("net"), True)]
    written = json.loads(out.read_text())
    assert written["FRRea"] == pytest.approx(60000)
    assert written["pictures"] == {"generated": 3, "real": 3}
    assert written["every"] == {"generated": 2, "real": 1}
    assert written["antialias"] is True
    assert len(written["notes"]) == 1


def test_it_is_a_command_of_the_package(tmp_path, asked, capsys):
    folder = save(tmp_path / "a", range(7))
    tyro.cli(Commands, args=["realism", str(folder), str(folder), "--every", "3"]).run()  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert f"real: 3 pictures of {folder}\n" in capsys.readouterr().out


def test_enough_pictures_need_no_note(tmp_path, asked, capsys):
    folder = save(tmp_path / "a", range(6))
    Realism(folder, folder, batch_size=4).run()
    printed = capsys.readouterr().out
    assert "FRRea 0.0000\n" in printed
    assert "fewer" not in printed
    assert asked == [(Path("runs/inception"), False)]


def test_a_video_against_images(tmp_path, asked, capsys):
    write_video(tmp_path / "a.mp4", (np.full((16, 16, 3), 50, np.uint8) for _ in range(61)))
    real = save(tmp_path / "real", [50, 50])
    Realism(tmp_path / "a.mp4", real, every=30, every_real=1).run()
    assert "generated: 3 pictures" in capsys.readouterr().out


def test_too_few_pictures_name_the_side(tmp_path, asked):
    generated, real = save(tmp_path / "generated", [1, 2]), save(tmp_path / "real", [3])
    with pytest.raises(UserError, match=r"real: 1 picture; FRRea needs at least 2"):
        Realism(generated, real).run()
    with pytest.raises(UserError, match="--batch-size 0"):
        Realism(generated, real, batch_size=0).run()


def test_missing_weights_say_where_they_come_from(tmp_path):
    folder = save(tmp_path / "a", [1, 2])
    with pytest.raises(UserError) as caught:
        Realism(folder, folder, tmp_path / "inception").run()
    message = str(caught.value)
    assert "\n" not in message
    assert "pytorch-fid's releases" in message
    assert "Apache-2.0" in message
    assert (
        f"convert_weights.py inception pt_inception-2015-12-05-6726825d.pth {tmp_path}" in message
    )
