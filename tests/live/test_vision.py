"""MediaPipe's files for the browser, from packages that a stand-in for npm gives."""

import base64
import hashlib
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from jaxreact.errors import UserError
from jaxreact.live import vision
from jaxreact.live.vision import PACKAGE, VERSION, fetch_vision

FILES = {name: name.encode() for name in vision._FILES} | {
    "package.json": json.dumps({"version": VERSION}).encode(),
    "vision_bundle.cjs": b"not needed",
    "LICENSE": b"whose it is",
}


def package(path: Path, files: dict[str, bytes], top: str = "package/") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(top + name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Makes npm give a file, whose digest is the pinned one unless `other`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    model = tmp_path / "face_landmarker.task"
    model.write_bytes(b"model")
    monkeypatch.setattr(vision, "model_file", lambda _: model)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def give(file: Path, other: bool = False, script: str = "") -> Path:
        digest = hashlib.sha512(b"other" if other else file.read_bytes()).digest()
        monkeypatch.setattr(vision, "SHA512", base64.b64encode(digest).decode())
        calls = folder / "calls"
        text = f'#!/bin/sh\necho "$@" >> "{calls}"\n{script}\ncp "{file}" .\n'
        (folder / "npm").write_text(text)
        (folder / "npm").chmod(0o755)
        return calls

    return give


def test_the_needed_files_are_unpacked_once(npm, tmp_path):
    calls = npm(package(tmp_path / "vision.tgz", FILES))
    folder = tmp_path / "cache" / "vision"
    assert fetch_vision(folder) == folder
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*vision._FILES, "LICENSE", "face_landmarker.task"}
    fetch_vision(folder)
    assert calls.read_text().splitlines() == [f"pack {PACKAGE}@{VERSION} --silent --ignore-scripts"]
    (folder / "vision_bundle.mjs").unlink()
    fetch_vision(folder)
    assert (folder / "vision_bundle.mjs").is_file()
    assert list(folder.parent.iterdir()) == [folder]


def test_another_file_than_the_pinned_one_is_refused(npm, tmp_path):
    npm(package(tmp_path / "vision.tgz", FILES), other=True)
    with pytest.raises(UserError, match=f"{PACKAGE} {VERSION} is another file"):
        fetch_vision(tmp_path / "vision")
    assert not (tmp_path / "vision").exists()


def test_names_that_lead_elsewhere_are_not_written(npm, tmp_path):
    evil = FILES | {"../../escaped": b"!", "README/../../escaped": b"!", "wasm/../escaped": b"!"}
    npm(package(tmp_path / "vision.tgz", evil))
    fetch_vision(tmp_path / "vision")
    assert not list(tmp_path.rglob("escaped"))


def test_a_package_that_lacks_something_is_refused(npm, tmp_path):
    lacking = {name: content for name, content in FILES.items() if name != "vision_bundle.mjs"}
    npm(package(tmp_path / "vision.tgz", lacking))
    with pytest.raises(UserError, match=r"no file of .* \(no vision_bundle.mjs\)"):
        fetch_vision(tmp_path / "vision")


def test_what_npm_says_is_passed_on(npm, tmp_path):
    npm(package(tmp_path / "vision.tgz", FILES), script="echo 'npm error offline' >&2; exit 1")
    with pytest.raises(UserError, match=rf"cannot fetch {PACKAGE} {VERSION} \(npm error offline\)"):
        fetch_vision(tmp_path / "vision")


def test_without_npm_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(UserError, match="install it"):
        fetch_vision(tmp_path / "vision")
