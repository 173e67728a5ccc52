"""What a system asks for is what it gets: whose, of which frames, and in which form."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from jaxreact.data.cache import ArrayCache
from jaxreact.data.crops import CropReader
from jaxreact.data.layout import Clip
from jaxreact.data.modality import Modality, files_by_role
from jaxreact.data.packed import Packed
from jaxreact.data.pipeline import evaluation_items, training_batches
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.data.react2024.data_set import React2024
from jaxreact.errors import UserError
from jaxreact.media.video_writer import write_video
from tests.data.react2024_files import MEAN_FACE, NOXI, TinyDataSet, write_tiny

FIRST: dict[str, Any] = {"epochs": 1, "seed": 0, "batch_size": 1, "crop": "start", "shuffle": False}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> TinyDataSet:
    """With pictures of the first clip as a folder, of the others as films; frame n is 4 n grey."""
    data = write_tiny(tmp_path_factory.mktemp("tiny"))
    for name in data.names:
        film = data.path("Video_files", name, ".mp4")
        film.parent.mkdir(parents=True, exist_ok=True)
        pictures = [np.full((16, 32, 3), 4 * number, np.uint8) for number in range(50)]
        if name == NOXI[0]:
            film.with_suffix("").mkdir()
            for number, picture in enumerate(pictures):
                Image.fromarray(picture).save(film.with_suffix("") / f"{number}.png")
        else:
            write_video(film, pictures)
    return data


def known(clip: Clip, start: int, frames: int) -> np.ndarray:
    """Stands in for codes that were computed before: the numbers of the frames."""
    return np.arange(start, start + frames, dtype=np.int32)


def crops(data: TinyDataSet, *wanted: Modality, mean: bool = False, **options):
    """All crops of the unmirrored dyads, one a batch, without its axis."""
    source = React2024(data.root)
    dyads = source.dyads("train", wanted, mirrored=False)
    settings: dict[str, Any] = FIRST | {"frames": 20} | options
    face = source.mean_face() if mean else None
    batches = training_batches(source, dyads, face, modalities=wanted, **settings)
    return [{key: array[0] for key, array in batch.items()} for batch in batches]


def test_pictures_become_as_large_as_asked(data):
    coeffs = Modality("speaker", "coeffs")
    larger, _ = crops(data, coeffs, Modality("speaker", "video", size=(32, 64)))
    own, _ = crops(data, coeffs, Modality("speaker", "video", size=(16, 32)))
    assert larger["speaker_video"].shape[1:] == (32, 64, 3)
    assert own["speaker_video"].shape[1:] == (16, 32, 3)
    means = [item["speaker_video"].mean(axis=(1, 2)) for item in (larger, own)]
    np.testing.assert_array_equal(*means)


def test_both_roles_of_every_kind_and_raw_coefficients_without_a_mean_face(data):
    kinds = ("coeffs", "emotion", "waveform")
    wanted = [Modality(role, kind) for role in ("speaker", "listener") for kind in kinds]
    item, _ = crops(data, *wanted)
    assert set(item) == {f"{modality.role}_{modality.kind}" for modality in wanted}
    source = React2024(data.root)
    dyad = source.dyads("train", wanted)[0]
    for role, clip in (("speaker", dyad.speaker), ("listener", dyad.listener)):
        np.testing.assert_array_equal(item[f"{role}_coeffs"], data.coeffs(clip.name)[:20])
        np.testing.assert_allclose(item[f"{role}_emotion"], data.emotion(clip.name)[:20], atol=1e-6)
        np.testing.assert_array_equal(item[f"{role}_waveform"], source.waveform(clip, 0, 20))
    centred, _ = crops(data, wanted[0], mean=True)
    np.testing.assert_array_equal(centred["speaker_coeffs"], item["speaker_coeffs"] - MEAN_FACE)


def test_context_before_a_crop_is_there_for_every_crop(data):
    """Crops begin where the longest context fits; each array covers its own stretch."""
    wanted = (
        Modality("speaker", "coeffs"),
        Modality("listener", "coeffs", before=12, frames=3),
        Modality("speaker", "waveform", before=30, frames=5),
    )
    source = React2024(data.root)
    speaker = source.dyads("train", wanted)[0].speaker
    starts = set()
    for options in ({}, *({"crop": "random", "seed": seed} for seed in range(20))):
        item = crops(data, *wanted, frames=16, **options)[0 if not options else -1]
        number, start = divmod(float(item["speaker_coeffs"][0, 0]), 1)
        start = round(start * 1024)
        starts.add(start)
        assert item["speaker_coeffs"].shape == (16, 58)
        assert item["listener_coeffs"].shape == (15, 58)
        assert round((float(item["listener_coeffs"][0, 0]) % 1) * 1024) == start - 12
        assert item["speaker_waveform"].shape == (35 * 640,)
        if number == data.number(speaker.name):
            expected = source.waveform(speaker, start - 30, 35)
            np.testing.assert_array_equal(item["speaker_waveform"], expected)
    assert min(starts) == 30
    assert 30 < max(starts) <= 60 - 16


def test_context_counts_towards_the_length_that_dyads_need(data):
    wanted = Modality("speaker", "coeffs", before=50)
    with pytest.raises(UserError, match="shorter than the 70 frames"):
        crops(data, wanted)
    source = React2024(data.root)
    dyads = source.dyads("train")
    with pytest.raises(ValueError, match="begin at frame 0"):
        evaluation_items(source, dyads, 20, modalities=[wanted])


def energy(waveform: np.ndarray) -> np.ndarray:
    """Stands for an audio encoder: a number a frame."""
    return np.square(waveform).reshape(-1, 640).mean(axis=1)


@pytest.mark.parametrize("workers", [0, 1])
def test_features_are_the_callers_function_of_the_sound(data, workers):
    wanted = (
        Modality("listener", "features", before=4, function=energy),
        Modality("listener", "waveform", before=4, name="heard"),
    )
    item, _ = crops(data, *wanted, workers=workers)
    assert set(item) == {"listener_features", "heard"}
    assert item["listener_features"].shape == (24,)
    np.testing.assert_array_equal(item["listener_features"], energy(item["heard"]))


def test_features_of_whole_clips_are_computed_once_and_cropped(data):
    given: list[int] = []

    def halves(waveform: np.ndarray) -> np.ndarray:
        given.append(len(waveform))
        return np.square(waveform).reshape(-1, 320).mean(axis=1)

    wanted = (
        Modality("listener", "features", before=4, function=halves, per_frame=2),
        Modality("listener", "waveform", before=4, name="heard"),
    )
    source = React2024(data.root)
    dyads = source.dyads("train", wanted, mirrored=False)
    reader = CropReader(source, wanted, 20, None, ArrayCache(1 << 20))
    items = [reader.read(dyad, first) for dyad in dyads for first in (4, 17, 30)]
    assert given == [60 * 640] * 2
    first, later = items[0]["listener_features"], items[1]["listener_features"]
    assert np.abs(first - later).max() > 1e-3
    for item in items:
        assert item["listener_features"].shape == (48,)
        # A crop's sound is resampled by itself.
        expected = halves(item["heard"])
        np.testing.assert_allclose(item["listener_features"], expected, rtol=5e-3)


def test_pictures_of_folders_and_films_in_the_callers_size(data):
    wanted = [Modality(role, "video", size=(8, 12)) for role in ("speaker", "listener")]
    wanted.append(Modality("speaker", "coeffs", before=30))
    item, _ = crops(data, *wanted, frames=25)
    expected = 4 * np.minimum(np.arange(30, 55), 49)  # the last picture is repeated
    for role in ("speaker", "listener"):
        pictures = item[f"{role}_video"]
        assert pictures.shape == (25, 8, 12, 3)
        assert pictures.dtype == np.uint8
        assert np.abs(pictures.mean(axis=(1, 2, 3)) - expected).max() <= (0, 4)[role == "listener"]


def test_pictures_that_are_not_there(data, tmp_path):
    bare = write_tiny(tmp_path / "bare")
    wanted = [Modality("speaker", "video", size=(8, 8)), Modality("listener", "coeffs")]
    assert React2024(bare.root).dyads("train")
    with pytest.raises(UserError, match=r"train/Video_files: no such folder, and pictures of the"):
        React2024(bare.root).dyads("train", wanted, mirrored=False)
    (bare.root / "train" / "Video_files").mkdir()
    with pytest.raises(UserError, match=rf"2 files .*train/Video_files/{NOXI[0]}\.mp4, or a fol"):
        React2024(bare.root).dyads("train", wanted, mirrored=False)
    prepare(PrepareConfig(bare.root, tmp_path / "cache", workers=1))
    packed = Packed(tmp_path / "cache")
    with pytest.raises(UserError, match="this cache holds no pictures"):
        packed.dyads("train", wanted)


def test_files_are_needed_of_those_who_are_asked_for():
    assert files_by_role(["coeffs", "audio"]) == {
        "speaker": {"coeffs", "audio"},
        "listener": {"coeffs"},
    }
    assert files_by_role([Modality("listener", "waveform"), "emotion"]) == {
        "speaker": {"emotion"},
        "listener": {"emotion", "audio"},
    }


@pytest.mark.parametrize("kind", ["codes", "features"])
def test_what_is_known_is_that_of_the_crop_and_of_what_is_before_it(data, kind):
    found = crops(data, Modality("listener", kind, before=4, frames=8, known=known))[0]
    np.testing.assert_array_equal(found[f"listener_{kind}"], np.arange(12))


def test_a_person_of_whom_nothing_is_asked_limits_nothing(data):
    dyads = React2024(data.root).dyads("train", [Modality("listener", "coeffs")], mirrored=False)
    assert [(dyad.speaker.frames, dyad.frames) for dyad in dyads] == [(0, 61)] * 2


def test_a_listeners_missing_sound_matters_where_it_is_asked_for(tmp_path):
    data = write_tiny(tmp_path)
    data.path("Audio_files", NOXI[1], ".wav").unlink()
    source = React2024(data.root)
    assert source.dyads("train", [Modality("speaker", "waveform")], mirrored=False)
    with pytest.raises(UserError, match="1 file of split train missing"):
        source.dyads("train", [Modality("listener", "waveform")], mirrored=False)


def test_modalities_that_make_no_sense(data):
    wrong: tuple[dict[str, Any], ...] = (
        {"kind": "coeffs", "before": -1},
        {"kind": "coeffs", "frames": 0},
        {"kind": "features"},
        {"kind": "waveform", "function": energy},
        {"kind": "video"},
        {"kind": "emotion", "size": (8, 8)},
        {"kind": "codes"},
        {"kind": "codes", "known": known, "function": energy},
        {"kind": "features", "known": known, "function": energy},
        {"kind": "coeffs", "known": known},
        {"kind": "features", "known": known, "per_frame": 1},
        {"kind": "features", "function": energy, "per_frame": 0},
    )
    for options in wrong:
        with pytest.raises(ValueError, match="speaker"):
            Modality("speaker", **options)
    with pytest.raises(ValueError, match="pictures alone have no length"):
        crops(data, Modality("speaker", "video", size=(8, 8)))
    with pytest.raises(ValueError, match="30 frames of a crop of 20"):
        crops(data, Modality("speaker", "coeffs", frames=30))
    wrong_rate = Modality("speaker", "features", function=energy, per_frame=2)
    with pytest.raises(ValueError, match="speaker_features: 60 steps of 60 frames, not 2 each"):
        crops(data, wrong_rate)
    with pytest.raises(ValueError, match="speaker_codes: 30 frames of a crop of 20"):
        crops(data, Modality("speaker", "codes", frames=30, known=known))
    with pytest.raises(ValueError, match="speaker_features: 30 frames of a crop of 20"):
        crops(data, Modality("speaker", "features", frames=30, known=known))
    with pytest.raises(ValueError, match="speaker_features: 30 frames of a crop of 20"):
        crops(data, Modality("speaker", "features", frames=30, function=energy, per_frame=1))
    with pytest.raises(ValueError, match="modalities of the same name: speaker_emotion, speaker"):
        crops(data, *[Modality("speaker", "emotion")] * 2)
