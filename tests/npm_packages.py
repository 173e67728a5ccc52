"""Packages of npm that tests need, fetched by npm and known by their digests."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

PATIENCE = 120
"""Seconds that npm may take."""


def fetched(name: str, sha512: str, folder: Path) -> Path:
    """The files of a package `NAME@VERSION`, unpacked below a folder; the test is skipped, with the
    reason, where npm is missing or reaches no registry. `sha512` is as lock files have it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not there to fetch {name}")
    command = [npm, "pack", name, "--silent", "--ignore-scripts"]
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm does not fetch {name} in {PATIENCE} s")
    files = list(folder.glob("*.tgz"))
    if done.returncode or len(files) != 1:
        pytest.skip(f"npm cannot fetch {name}")
    digest = hashlib.sha512(files[0].read_bytes()).digest()
    assert base64.b64encode(digest).decode() == sha512, f"{name} is another file"
    with tarfile.open(files[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"
