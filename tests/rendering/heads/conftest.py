"""A small made-up FaceVerse, as a dictionary, as the model, and as files."""

from pathlib import Path
from typing import Any

import pytest

from jaxreact.rendering.heads import FaceVerse
from jaxreact.rendering.heads.conversion import convert_faceverse, model_of
from tests.rendering import faceverse_file


@pytest.fixture(scope="session")
def content() -> dict[str, Any]:
    """What is in the file; not to be changed."""
    return faceverse_file.faceverse()


@pytest.fixture(scope="session")
def model(content) -> FaceVerse:
    return model_of(content, Path("made-up.npy"))


@pytest.fixture(scope="session")
def original(content, tmp_path_factory) -> Path:
    """The file as FaceVerse gives it."""
    path = tmp_path_factory.mktemp("faceverse") / "faceverse_simple_v2.npy"
    return faceverse_file.save(path, content)


@pytest.fixture(scope="session")
def converted(original) -> Path:
    path = original.with_suffix(".npz")
    convert_faceverse(original, path)
    return path
