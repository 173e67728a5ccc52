"""Small conversations, and a cache folder of each test's own."""

from pathlib import Path

import pytest

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import Clip
from tests.systems.fiber.modalities import FACES


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """The package's part of the user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "jaxreact"


@pytest.fixture(scope="session")
def data(conversations) -> Conversations:
    return open_conversations(conversations)


@pytest.fixture(scope="session")
def clips(data) -> list[Clip]:
    """Speakers and listeners of the training split, four of 125 frames."""
    return [clip for dyad in data.dyads("train", FACES) for clip in (dyad.speaker, dyad.listener)]
