"""Listeners' Big Five as data: of a root, of a cache of it, in batches, and where nobody knows."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.modality import Modality
from jaxreact.data.pipeline import training_batches
from jaxreact.data.prepare.command import PrepareConfig, prepare
from jaxreact.data.traits import check_traits, fingerprint_of, traits_of_listeners
from jaxreact.errors import UserError
from jaxreact.training.batches import Data, read_data
from tests.data.mars_files import MarsFiles, small
from tests.data.react2024_files import write_tiny

HEADER = "video_name,session,Extraversion,Agreeableness,Conscientiousness,Neuroticism,Openness\n"
ROWS = HEADER + "a.mp4,10,5,3,1,3,3\nbb.mp4,session2,2,2.6,3,4,4.2\n"
KNOWN = {"a": [1, 0.5, 0, 0.5, 0.5], "bb": [0.25, 0.4, 0.5, 0.75, 0.8]}
"""The rows of ROWS less one, over four; of "ccc" nothing is said."""
WANTED = (
    Modality("speaker", "coeffs"),
    Modality("listener", "coeffs"),
    Modality("listener", "traits"),
)


def table(files: MarsFiles, text: str, split: str = "train") -> Path:
    path = files.root / split / "personality" / "listener.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8-sig")
    return path


@pytest.fixture
def files(tmp_path) -> MarsFiles:
    """Its training listeners are bb and ccc of session 2, then a of session 10."""
    made = small(tmp_path / "mars")
    table(made, ROWS)
    return made


def known(data: Conversations) -> dict[str, list[float] | None]:
    """What is said of each training listener, by the end of its name."""
    found = {d.listener.name[-3:].strip("r/"): data.traits(d.listener) for d in data.dyads("train")}
    return {name: None if row is None else row.tolist() for name, row in found.items()}


def assert_known(data: Conversations) -> None:
    found = known(data)
    assert found.pop("ccc") is None
    assert found.keys() == KNOWN.keys()
    for name, scores in found.items():
        assert scores is not None
        np.testing.assert_allclose(scores, KNOWN[name], rtol=1e-6)
    assert data.traits(data.dyads("val")[0].listener) is None


def read(files: MarsFiles, *modalities: Modality) -> Data:
    """Batches of a stage that asks for these."""
    return read_data(
        files.root,
        None,
        modalities=modalities,
        frames=20,
        trained_frames=20,
        batch_size=2,
        seed=0,
        workers=0,
    )


def test_a_root_and_its_cache_say_the_same(files, tmp_path):
    root = open_conversations(files.root)
    assert_known(root)
    prepare(PrepareConfig(files.root, out=tmp_path / "cache", workers=1))
    cache = open_conversations(tmp_path / "cache")
    assert_known(cache)
    assert known(cache) == known(root)
    assert root.traits(root.dyads("train")[0].speaker) is None


def test_a_cache_of_nobody_known_is_as_before(files, tmp_path):
    table(files, ROWS).unlink()
    prepare(PrepareConfig(files.root, out=tmp_path / "cache", workers=1))
    index = json.loads((tmp_path / "cache" / "cache.json").read_text())
    assert "traits" not in index
    assert set(known(open_conversations(tmp_path / "cache")).values()) == {None}


def test_react2024_knows_nobody(tmp_path):
    data = open_conversations(write_tiny(tmp_path).root)
    assert data.traits(data.dyads("train")[0].listener) is None


def test_batches_hold_the_listeners_traits_whatever_the_crop(files):
    data = open_conversations(files.root)
    dyads = data.dyads("train", WANTED)
    batches = training_batches(
        data,
        dyads,
        None,
        modalities=WANTED,
        frames=20,
        batch_size=3,
        seed=0,
        shuffle=False,
        epochs=1,
    )
    (batch,) = batches
    rows = batch["listener_traits"]
    assert (rows.shape, rows.dtype) == ((3, 5), np.float32)
    np.testing.assert_allclose(rows[[0, 2]], [KNOWN["bb"], KNOWN["a"]], rtol=1e-6)
    assert np.isnan(rows[1]).all()
    np.testing.assert_array_equal(rows, traits_of_listeners(data, dyads))


def test_traits_have_no_frames():
    for before, frames in ((1, None), (0, 3)):
        with pytest.raises(ValueError, match="listener_traits: a person's, of no frames"):
            Modality("listener", "traits", before, frames)


def test_training_by_traits_needs_somebody_who_has_them(files):
    data = open_conversations(files.root)
    check_traits(data, data.dyads("train"), "train")
    message = "no listener of val has Big Five scores; give MARS of 2026 with its val/personality"
    with pytest.raises(UserError, match=message):
        check_traits(data, data.dyads("val"), "val")
    table(files, ROWS).unlink()
    with pytest.raises(UserError, match="no listener of train has Big Five scores"):
        read(files, *WANTED)


def test_other_scores_are_other_data(files):
    """A root's own fingerprint says nothing of them; without traits all stays as it was."""

    with_traits = read(files, *WANTED).fingerprint
    without = read(files, *WANTED[:2]).fingerprint
    assert without == open_conversations(files.root).fingerprint()
    table(files, ROWS.replace("5,3,1", "4,3,1"))
    assert read(files, *WANTED[:2]).fingerprint == without
    assert read(files, *WANTED).fingerprint != with_traits
    rows = np.array([[0.1, 0.2, 0.3, 0.4, np.nan]], np.float32)
    assert fingerprint_of(rows) != fingerprint_of(rows[:, ::-1])
