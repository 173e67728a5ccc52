"""Folders that are built beside their place."""

import os
from pathlib import Path

import pytest

from jaxreact.errors import UserError
from jaxreact.files import building, check_file, check_folder, replacing


def test_a_folder_takes_the_place_of_another(tmp_path):
    for text in ("first", "second"):
        with building(tmp_path / "run") as folder:
            folder.mkdir()
            (folder / text).touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "second"]


def fail_in(place: Path, half_done: bool) -> None:
    with building(place) as folder:
        if half_done:
            folder.mkdir()
            raise ZeroDivisionError


@pytest.mark.parametrize("half_done", [True, False])
def test_a_failure_leaves_what_was_there(tmp_path, half_done):
    """Also where nothing was built at all."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "before").touch()
    with pytest.raises(ZeroDivisionError if half_done else FileNotFoundError):
        fail_in(tmp_path / "run", half_done)
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "before"]


@pytest.mark.parametrize("deeper", ["x", "x/y"])
def test_a_file_where_a_folder_should_be_is_named(tmp_path, deeper):
    (tmp_path / "file").write_text("")
    for write in (replacing, building):
        with (
            pytest.raises(UserError, match="is no folder; choose another place"),
            write(tmp_path / "file" / deeper),
        ):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_where_a_file_should_be_is_named(tmp_path):
    with pytest.raises(UserError, match="is a folder; name a file"), replacing(tmp_path):
        pass


def test_a_place_that_cannot_be_made_is_named(tmp_path):
    """A name that is too long, here; a disk that is only read, a folder of somebody else's."""
    for write in (replacing, building):
        with (
            pytest.raises(UserError, match=r"cannot be made \(.*\); choose another place"),
            write(tmp_path / ("x" * 300) / "y"),
        ):
            pass


def test_a_folder_is_looked_at_before_it_is_needed(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    check_folder(tmp_path)
    check_folder(tmp_path / "to" / "be" / "made")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=f"--out: {tmp_path}/file is a file, not a directory"):
            check_folder(place)
    with pytest.raises(UserError, match=r"x cannot be a folder \(File name too long\)"):
        check_folder(tmp_path / ("x" * 300))
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(UserError, match=f"--out: {tmp_path} may not be written to; choose another"):
        check_folder(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_file_is_looked_at_before_it_is_needed(tmp_path):
    (tmp_path / "file").write_text("")
    check_file(tmp_path / "file", "--json")
    check_file(tmp_path / "to" / "be.json", "--json")
    with pytest.raises(UserError, match=f"--json: {tmp_path} is a folder; name a file in it"):
        check_file(tmp_path, "--json")
    with pytest.raises(UserError, match=f"--json: {tmp_path}/file is a file, not a directory"):
        check_file(tmp_path / "file" / "below", "--json")
