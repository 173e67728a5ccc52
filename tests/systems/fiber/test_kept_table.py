"""What is computed of clips once is found again, by whatever it depends on, and makes room."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from jaxreact.data.layout import Clip
from jaxreact.systems.fiber.kept_table import KeptTable, KnownRows

ROWS = 4 * 125


class Smiles(KeptTable[KnownRows]):
    """Two coefficients of every frame."""

    FOLDER = "smiles"
    MAX_BYTES = 12 * (4 * ROWS + 128)
    UNIT = "frame"
    number = 0

    def _count(self, clip: Clip) -> int:
        return clip.frames

    @property
    def _width(self) -> int:
        return 2

    @property
    def _type(self) -> np.dtype[Any]:
        return np.dtype(np.float16)

    @property
    def _named(self) -> Mapping[str, Any]:
        return {"number": self.number}

    def _content(self, clip: Clip) -> np.ndarray:
        return self.data.coeffs(clip)

    def _known(self, file: Path, firsts: Mapping[tuple[str, str], int]) -> KnownRows:
        return KnownRows(file, firsts)

    def _computed(self) -> Iterator[np.ndarray]:
        return (self.data.coeffs(clip)[:, :2] for clip in self.clips)


@pytest.fixture
def folder(cache) -> Path:
    """Where such tables are kept."""
    return cache / "smiles"


@pytest.fixture
def table(data, clips) -> Smiles:
    return Smiles(data, clips)


def forbidden(*_: Any) -> Any:
    raise AssertionError("it was computed again")


def denied(*_: Any) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_rows_are_those_of_each_clip(table, data, clips):
    known = table.known()
    assert len({clip.name for clip in clips}) == 4
    for clip in clips:
        expected = data.coeffs(clip)[7:100:3, :2].astype(np.float16)
        np.testing.assert_array_equal(known.rows(clip, 7, 100, 3), expected)


def test_clips_of_two_splits_may_have_one_name(data, clips):
    """Their names say nothing of the split."""
    other = replace(clips[0], split="val", frames=10)

    class Splits(Smiles):
        def _content(self, clip: Clip) -> np.ndarray:
            return np.full((clip.frames, 58), len(clip.split), np.float32)

        def _computed(self) -> Iterator[np.ndarray]:
            return (self._content(clip)[:, :2] for clip in self.clips)

    known = Splits(data, [clips[0], other]).known()
    assert (known.rows(clips[0], 0, 125) == 5).all()
    assert (known.rows(other, 0, 10) == 3).all()


def test_a_table_is_kept(table, data, clips, folder, monkeypatch):
    known = table.known()
    assert [known.file] == list(folder.iterdir())
    os.utime(known.file, (1, 1))
    with monkeypatch.context() as patch:
        patch.setattr(Smiles, "_computed", forbidden)
        again = Smiles(data, [*clips, clips[0]]).known()
    assert again == known
    assert known.file.stat().st_mtime > 1  # it was used
    monkeypatch.setattr(os, "utime", denied)  # it may be somebody else's
    assert table.known() == known


def test_who_has_asked_for_a_table_keeps_it(table, clips):
    """Also where the file is taken away before the first row of it is read."""
    known = table.known()
    known.file.unlink()
    assert known.rows(clips[0], 0, 8).shape == (8, 2)


def test_whatever_rows_depend_on_names_another_file(table, data, clips, monkeypatch):
    class Others(Smiles):
        number = 1

    files = {table.file, Others(data, clips).file, Smiles(data, clips[:1]).file}
    with monkeypatch.context() as patch:
        patch.setattr(jax, "default_backend", lambda: "gpu")
        files.add(Smiles(data, clips).file)
    read = type(data).coeffs
    changed = sorted(clip.name for clip in clips)[2]
    monkeypatch.setattr(
        type(data), "coeffs", lambda self, clip: read(self, clip) + (clip.name == changed)
    )
    files.add(Smiles(data, clips).file)
    assert len(files) == 5


@pytest.mark.parametrize("damage", ["cut off", "of another shape", "no file of numpy's"])
def test_a_damaged_file_is_written_anew(table, damage):
    whole = np.array(np.load(table.known().file))
    if damage == "cut off":
        table.file.write_bytes(table.file.read_bytes()[:-1])
    elif damage == "of another shape":
        np.save(table.file, whole[:-1])
    else:
        table.file.write_text("smiles")
    assert not table.is_kept
    np.testing.assert_array_equal(np.load(table.known().file), whole)


def test_files_used_longest_ago_make_room(table, folder):
    folder.mkdir(parents=True)
    size = 4 * table.rows + 128
    assert (table.rows, Smiles.MAX_BYTES) == (ROWS, 12 * size)
    for age, name in enumerate(("new", "old", "older")):
        file = folder / f"{name}.npy"
        file.write_bytes(bytes(size))
        os.utime(file, (1000 - age, 1000 - age))
    for name in (".a.npy.killed", ".b.npy.running"):
        (folder / name).mkdir()
        (folder / name / "a.npy").touch()
    os.utime(folder / ".a.npy.killed", (1000, 1000))
    (folder / "today.npy").write_bytes(bytes(9 * size))  # somebody may be about to read it
    table.known()
    assert {path.name for path in folder.iterdir()} == {
        *(table.file.name, "today.npy", "new.npy", "old.npy", ".b.npy.running")
    }
