"""Pictures are packed where they are asked for, and only then."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from jaxreact.data.conversations import open_conversations
from jaxreact.data.modality import Modality
from jaxreact.data.pipeline import training_batches
from jaxreact.errors import UserError
from tests.data.prepare.running import run
from tests.data.react2024_files import TinyDataSet

FRAMES = 61
VIDEO = Modality("speaker", "video", size=(8, 8))


@pytest.fixture
def recorded(data: TinyDataSet) -> TinyDataSet:
    """Folders of 16 x 16 pictures, one less than there are coefficients; frame n of person p is
    4 n + p in all pixels."""
    for name in data.names:
        folder = data.path("Video_files", name, "")
        folder.mkdir(parents=True)
        for number in range(FRAMES - 1):
            grey = np.full((16, 16, 3), 4 * number + data.number(name), np.uint8)
            Image.fromarray(grey).save(folder / f"{number + 1}.png")
    return data


def test_a_cache_of_pictures_gives_those_of_its_root(recorded, tmp_path):
    run(recorded, tmp_path / "cache", pictures=8)
    read = []
    for path in (recorded.root, tmp_path / "cache"):
        opened = open_conversations(path)
        wanted = (VIDEO, Modality("listener", "coeffs"))
        dyads = opened.dyads("train", wanted)
        options = {"modalities": wanted, "frames": 20, "batch_size": 4, "seed": 1, "epochs": 3}
        batches = list(training_batches(opened, dyads, None, **options))
        read.append(np.concatenate([batch["speaker_video"] for batch in batches]))
    assert read[0].shape == (12, 20, 8, 8, 3)
    np.testing.assert_array_equal(*read)
    cache = open_conversations(tmp_path / "cache")
    clip = cache.dyads("train", (VIDEO, "coeffs"))[0].speaker
    last = list(cache.pictures(clip, FRAMES - 2, 4))
    assert [int(picture[0, 0, 0]) for picture in last] == [4 * 59 + 1] * 4  # stands still
    assert cache.video(clip) is None


def test_nobody_else_pays_for_them(recorded, tmp_path):
    for name in ("without", "with"):
        run(recorded, tmp_path / name, pictures=8 if name == "with" else None)
    without, both = (
        json.loads((tmp_path / name / "cache.json").read_text()) for name in ("without", "with")
    )
    assert "pictures" not in without
    assert both["pictures"] == 8
    for split, content in without["splits"].items():
        packed = both["splits"][split]["shards"]
        assert set(packed) - set(content["shards"]) == {"video"}
        assert {kind: packed[kind] for kind in content["shards"]} == content["shards"]
    assert not list((tmp_path / "without").rglob("video*"))
    with pytest.raises(UserError, match=r"this cache holds no pictures; pack them by .*--pictures"):
        open_conversations(tmp_path / "without").dyads("train", (VIDEO, "coeffs"))
    run(recorded, tmp_path / "with")  # again, without them
    assert not list((tmp_path / "with").rglob("video*"))
    assert json.loads((tmp_path / "with" / "cache.json").read_text()) == without


def test_another_size_is_packed_anew(recorded, tmp_path):
    for side in (8, 16):
        run(recorded, tmp_path / "cache", pictures=side)
        cache = open_conversations(tmp_path / "cache")
        clip = cache.dyads("train", (VIDEO, "coeffs"))[0].speaker
        assert next(iter(cache.pictures(clip, 0, 1))).shape == (side, side, 3)


def test_missing_recordings_are_named(recorded, tmp_path):
    shutil.rmtree(recorded.path("Video_files", recorded.names[2], ""))
    with pytest.raises(UserError, match=r"1 recordings are missing, .*P41/1\.mp4") as caught:
        run(recorded, tmp_path / "cache", pictures=8)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="--pictures 4: choose 8 to 1024 pixels"):
        run(recorded, tmp_path / "cache", pictures=4)
