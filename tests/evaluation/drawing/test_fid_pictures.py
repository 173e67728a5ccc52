"""Pictures for FRRea: which frames, framed alike, and the distance of the two sides."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from jaxreact.data.recorded import recorded_frames
from jaxreact.errors import UserError
from jaxreact.evaluation.drawing import fid_pictures
from jaxreact.evaluation.drawing.fid_pictures import frames_of, make_fid_pictures, realism
from jaxreact.metrics.realism.frrea import frrea
from jaxreact.rendering import render
from jaxreact.rendering.pirender.portrait import framed
from tests.metrics.realism.colour_features import ColourFeatures

TAKEN = [0, 2, 5]


@pytest.fixture(autouse=True)
def network(monkeypatch) -> ColourFeatures:
    found = ColourFeatures()
    monkeypatch.setattr(fid_pictures, "load_inception", lambda _: found)
    return found


def read(take, kind: str) -> list[np.ndarray]:
    folder = take.file(kind, "")
    assert sorted(path.name for path in folder.iterdir()) == [f"frame_{t}.png" for t in TAKEN]
    return [np.asarray(Image.open(folder / f"frame_{t}.png")) for t in TAKEN]


def test_every_thirtieth_frame_of_each_clip():
    assert frames_of(3, 736, "corrected") == list(range(0, 736, 30))


def test_the_original_goes_on_counting_and_stops_at_5000():
    row = [(clip, t) for clip in range(9) for t in frames_of(clip, 736, "original")]
    assert [clip * 736 + t for clip, t in row] == list(range(0, 5000, 30))
    assert len(row) == 167
    assert frames_of(7, 736, "original") == []


@pytest.mark.slow
def test_photographs_are_framed_alike(studio, scene, take):
    assert make_fid_pictures(studio(photoreal=True), scene, take, TAKEN)
    frames = list(recorded_frames(scene.listener.video, 6))
    for picture, number in zip(read(take, "real_video"), TAKEN, strict=True):
        np.testing.assert_array_equal(picture, framed(frames[number], 224))
    whole = list(studio(photoreal=True).face(scene))
    for picture, number in zip(read(take, "fake_video"), TAKEN, strict=True):
        np.testing.assert_array_equal(picture, whole[number])
    assert {picture.shape for picture in read(take, "mesh_video")} == {(224, 224, 3)}


@pytest.mark.slow
def test_the_originals_frames_are_raw_and_its_windows_short(studio, scene, take):
    long = dataclasses.replace(scene, reaction=np.repeat(scene.reaction, 2, axis=0))
    make = studio(photoreal=True, fid_protocol="original")
    make_fid_pictures(make, long, take, TAKEN)
    frames = list(recorded_frames(scene.listener.video, 6))
    for picture, number in zip(read(take, "real_video"), TAKEN, strict=True):
        np.testing.assert_array_equal(picture, frames[number])
    seen = read(take, "fake_video")
    expected = list(make.face(long, original_windows=True))
    np.testing.assert_array_equal(seen, [expected[t] for t in TAKEN])
    assert not np.array_equal(seen, [list(make.face(long))[t] for t in TAKEN])


@pytest.mark.slow
def test_drawings_are_compared_with_drawings(studio, scene, take):
    make_fid_pictures(studio(), scene, take, TAKEN)
    np.testing.assert_array_equal(read(take, "real_video"), render(scene.listener.coeffs[TAKEN]))
    np.testing.assert_array_equal(read(take, "fake_video"), render(scene.reaction[TAKEN]))


@pytest.mark.slow
def test_the_distance_of_all_takes(studio, scene, take, tmp_path):
    second = dataclasses.replace(take, name="b1_ind2")
    other = dataclasses.replace(scene, reaction=scene.reaction[::-1].copy())
    maker = studio(photoreal=True)
    for which, people in ((take, scene), (second, other)):
        assert make_fid_pictures(maker, people, which, TAKEN)
        assert not make_fid_pictures(maker, people, which, TAKEN)
    found = realism([take, second], tmp_path, "corrected")
    generated, recorded = ([*read(take, k), *read(second, k)] for k in ("fake_video", "real_video"))
    assert found.value == pytest.approx(frrea(generated, recorded, ColourFeatures()), rel=1e-6)  # pyright: ignore[reportArgumentType]
    assert (found.pictures, found.photoreal, found.notes) == (6, True, [])
    assert found.content()["FRRea"] == found.value


@pytest.mark.slow
def test_photographs_and_drawings_do_not_mix(studio, scene, unseen, take, tmp_path):
    second = dataclasses.replace(take, name="b1_ind2")
    make_fid_pictures(studio(photoreal=True), scene, take, TAKEN)
    make_fid_pictures(studio(photoreal=True), unseen, second, TAKEN)
    with pytest.raises(UserError, match="photographs cannot be compared with drawings"):
        realism([take, second], tmp_path, "corrected")
    make_fid_pictures(studio(), scene, take, [0])
    with pytest.raises(UserError, match="needs at least 2 pictures a side"):
        realism([take], tmp_path, "corrected")
    assert json.loads(take.file("", ".json").read_text())["pictures"] == [0]
