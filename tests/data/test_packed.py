"""A cache gives what the root gave that it was packed from, or says what is wrong with it."""

import json
import multiprocessing
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from jaxreact.data.conversations import Conversations, open_conversations
from jaxreact.data.layout import AUDIO, COEFFS, EMOTION, MODALITIES
from jaxreact.data.modality import Modality
from jaxreact.data.packed import Packed
from jaxreact.data.pipeline import evaluation_items, training_batches
from jaxreact.data.prepare import PrepareConfig, pack, prepare
from jaxreact.data.react2024.data_set import React2024
from jaxreact.data.shards import decode_sound, encode_sound
from jaxreact.errors import UserError
from tests.data.react2024_files import NOXI, TinyDataSet, write_tiny

EVERYTHING = (
    Modality("speaker", "coeffs"),
    Modality("listener", "coeffs"),
    Modality("listener", "emotion"),
    Modality("speaker", "waveform"),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> TinyDataSet:
    """Tones at 44.1 kHz, one voice twice as loud; three clips to a shard, so that there are two."""
    data = write_tiny(tmp_path_factory.mktemp("tiny") / "data")
    noise = np.random.default_rng(0).uniform(-1, 1, (int(44100 * 2.4), 2))
    soundfile.write(data.path("Audio_files", NOXI[0], ".wav"), noise, 44100)
    np.save(data.root / "neighbour_emotion_train.npy", np.eye(4) + np.eye(4)[::-1])
    return data


@pytest.fixture(scope="module")
def cache(data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack, "CLIPS_PER_SHARD", 3)
        prepare(PrepareConfig(data.root, out, workers=1))
    return out


@pytest.fixture
def copy(cache, tmp_path) -> Path:
    """A cache that a test may damage."""
    return Path(shutil.copytree(cache, tmp_path / "copy"))


def test_a_cache_has_the_whole_interface_and_the_roots_contents(data, cache):
    root, packed = React2024(data.root), pickle.loads(pickle.dumps(open_conversations(cache)))
    assert isinstance(packed, Packed)
    assert isinstance(packed, Conversations)
    assert len(list(cache.glob("train/coeffs-*.arrayrecord"))) == 2
    for modalities in (MODALITIES, (COEFFS,), (EMOTION,), (COEFFS, AUDIO)):
        for mirrored in (True, False):
            dyads = packed.dyads("train", modalities, mirrored)
            assert dyads == root.dyads("train", modalities, mirrored)
    for dyad in packed.dyads("train"):
        for clip in (dyad.speaker, dyad.listener):
            for name in ("coeffs", "emotion"):
                one, other = getattr(packed, name)(clip), getattr(root, name)(clip)
                assert one.dtype == np.float32
                np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(packed.mean_face(), root.mean_face())
    assert packed.mean_face().dtype == np.float32
    np.testing.assert_array_equal(packed.neighbours("train", 4), root.neighbours("train", 4))
    for other in (3, 5):
        with pytest.raises(UserError, match=rf"shape \(4, 4\), not {other} dyads"):
            packed.neighbours("train", other)
    whole = packed.dyads("train", (COEFFS,))[0].speaker
    assert len(packed.coeffs(whole)) == whole.frames == 61


def test_sound_differs_by_rounding_and_at_the_cuts_only(data, cache):
    root, packed = React2024(data.root), Packed(cache)
    for clip in (dyad.speaker for dyad in root.dyads("train")):
        peak = np.abs(root.waveform(clip, 0, clip.frames)).max()
        assert peak > 0.4
        for start, frames in ((0, 60), (7, 20), (40, 30)):
            one, other = packed.waveform(clip, start, frames), root.waveform(clip, start, frames)
            assert one.shape == other.shape == (frames * 640,)
            assert one.dtype == np.float32
            difference = np.abs(one - other)[: (60 - start) * 640 - 80] / peak
            assert difference[80:-80].max() <= 5e-5  # 80 samples are 5 ms
            assert difference.max() <= 0.5
        assert not packed.waveform(clip, 40, 30)[20 * 640 + 1 :].any()


def test_whole_sound_comes_at_16_khz(data, cache):
    packed = Packed(cache)
    clip = packed.dyads("train")[0].speaker
    waveform, rate = packed.sound(clip, 1.5)
    assert (rate, waveform.shape) == (16000, (24000,))
    whole = packed.sound(clip, 100.0)[0]
    assert whole.shape == (38400,)
    np.testing.assert_array_equal(whole, packed.waveform(clip, 0, 60))
    np.testing.assert_array_equal(waveform, whole[:24000])


def test_rounding_is_that_of_the_clips_own_peak():
    quiet = np.float32(1e-3) * np.sin(np.arange(1000, dtype=np.float32))
    record, scale = encode_sound(quiet)
    assert len(record) == 2000
    peak = np.abs(quiet).max()
    np.testing.assert_allclose(decode_sound(record, scale, 0, 1000), quiet, atol=peak / 65000)
    for faint in (np.zeros(10, np.float32), np.full(10, 1e-45, np.float32)):
        record, scale = encode_sound(faint)
        assert scale > 0
        assert not decode_sound(record, scale, 0, 10).any()
    assert encode_sound(np.zeros(0, np.float32))[0] == b""


def test_batches_are_those_of_the_root(data, cache):
    def stream(source: Conversations, workers: int):
        dyads = source.dyads("train")
        settings: dict[str, Any] = {"frames": 16, "batch_size": 2, "seed": 3, "epochs": 2}
        settings["modalities"] = EVERYTHING
        return training_batches(source, dyads, source.mean_face(), **settings, workers=workers)

    expected = list(stream(React2024(data.root), 0))
    for workers in (0, 2):
        got = list(stream(open_conversations(cache), workers))
        assert len(got) == len(expected) == 4
        for one, other in zip(got, expected, strict=True):
            for name in ("speaker_coeffs", "listener_coeffs", "listener_emotion"):
                np.testing.assert_array_equal(one[name], other[name])
            np.testing.assert_allclose(one["speaker_waveform"], other["speaker_waveform"], atol=0.3)


def test_threads_may_share_a_cache(cache):
    packed = Packed(cache)
    clips = [dyad.speaker for dyad in packed.dyads("train")]
    expected = [packed.coeffs(clip) for clip in clips]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(packed.coeffs, clips * 50))
    for number, table in enumerate(found):
        np.testing.assert_array_equal(table, expected[number % 4])


def _first_coefficient(packed: Packed) -> float:
    return float(packed.coeffs(packed.dyads("train")[0].speaker)[0, 0])


def test_a_spawned_process_may_use_a_cache_that_is_open_here(cache):
    packed = Packed(cache)
    here = _first_coefficient(packed)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_first_coefficient, (packed,)) == here == 1.0


def test_a_cache_stands_alone(data, cache, tmp_path):
    moved = shutil.copytree(data.root, tmp_path / "data")
    prepare(PrepareConfig(moved, tmp_path / "cache", workers=1))
    shutil.rmtree(moved)
    shutil.move(tmp_path / "cache", tmp_path / "elsewhere")
    packed = open_conversations(tmp_path / "elsewhere")
    items = evaluation_items(packed, packed.dyads("train"), 60, modalities=EVERYTHING)
    assert len(list(items)) == 4
    assert packed.neighbours("train", 4).sum() == 8


def test_fingerprints_follow_the_content(data, cache, tmp_path):
    before = open_conversations(cache).fingerprint()
    changed = TinyDataSet(Path(shutil.copytree(data.root, tmp_path / "data")))
    assert len(before) == 16
    for number, name in enumerate(data.names):
        changed.write_emotion(name, changed.emotion(name) + number)
    prepare(PrepareConfig(changed.root, tmp_path / "cache", workers=1))
    assert open_conversations(tmp_path / "cache").fingerprint() != before


def test_what_a_cache_does_not_hold(data, tmp_path):
    root = Path(shutil.copytree(data.root, tmp_path / "data"))
    (root / "neighbour_emotion_train.npy").unlink()
    prepare(PrepareConfig(root, tmp_path / "cache", workers=1))
    packed = open_conversations(tmp_path / "cache")
    with pytest.raises(UserError, match="holds no split val, only train"):
        packed.dyads("val")
    with pytest.raises(UserError, match="holds no neighbour matrix of train"):
        packed.neighbours("train", 4)
    clip = packed.dyads("train", (COEFFS,))[0].speaker
    with pytest.raises(ValueError, match="was read without audio"):
        packed.waveform(clip, 0, 10)
    with pytest.raises(ValueError, match="unknown modalities"):
        packed.dyads("train", ("smell",))


def test_a_truncated_or_missing_shard_is_named_before_anything_starts(copy):
    shard = copy / "train/emotion-00001.arrayrecord"
    content = shard.read_bytes()
    shard.write_bytes(content[:-100])
    packed = open_conversations(copy)
    packed.dyads("train", (COEFFS,))
    with pytest.raises(UserError, match=r"emotion-00001\.arrayrecord: \d+ bytes instead of"):
        packed.dyads("train")
    shard.unlink()
    with pytest.raises(UserError, match=r"emotion-00001\.arrayrecord: missing from the cache"):
        packed.dyads("train")


def test_damage_of_the_same_size_is_noticed_when_it_is_read(copy):
    shard = copy / "train/coeffs-00000.arrayrecord"
    content = bytearray(shard.read_bytes())
    place = content.find(np.full(52, 1 + 7 / 1024, "<f4").tobytes())  # frame 7 of the first clip
    content[place] ^= 1
    shard.write_bytes(content)
    packed = open_conversations(copy)
    clip = packed.dyads("train")[0].speaker
    with pytest.raises(UserError, match=r"coeffs-00000\.arrayrecord: record 0 cannot be read"):
        packed.coeffs(clip)
    np.save(copy / "neighbour_emotion_train.npy", np.zeros((4, 4), np.uint8))
    with pytest.raises(UserError, match=r"neighbour_emotion_train\.npy: missing or damaged"):
        packed.neighbours("train", 4)


def test_an_index_that_cannot_be_trusted(copy):
    path = copy / "cache.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(UserError, match="format 99, and this version of jaxreact reads format 1"):
        open_conversations(copy)
    content["splits"]["train"]["pairs"].reverse()
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"cache\.json: damaged or edited"):
        open_conversations(copy)
    for text in ("{", "[]", '{"format": 1}'):
        path.write_text(text)
        with pytest.raises(UserError, match=r"cache\.json: not the index of a cache"):
            open_conversations(copy)
    path.unlink()
    with pytest.raises(UserError, match=r"cache\.json: missing, packing is unfinished; run"):
        open_conversations(copy)


@pytest.mark.parametrize("path", ["gs://bucket/cache", "s3://bucket/cache"])
def test_object_stores_are_refused_in_plain_words(path):
    with pytest.raises(UserError, match=f"{path}: data is read from file systems only"):
        open_conversations(path)
