"""Films of a clip: their panels, their record, and that none is made twice or by half."""

import dataclasses
import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import jaxreact
from jaxreact.data.recorded import recorded_frames
from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.films import make_film
from jaxreact.evaluation.drawing.options import FilmOptions
from jaxreact.evaluation.drawing.studio import open_studio
from jaxreact.rendering import render
from jaxreact.rendering.pirender.config import UPSTREAM
from jaxreact.rendering.pirender.portrait import framed
from tests.evaluation.drawing.conftest import FRAMES, SIZE

SOUND = (np.sin(np.arange(16000) / 9).astype(np.float32), 16000)


def panels(path: Path) -> tuple[list[np.ndarray], dict[str, float]]:
    """The panels of a film, each (frames, size, size, 3), and the seconds of its streams."""
    with av.open(str(path)) as container:
        seconds = {s.type: float((s.duration or 0) * (s.time_base or 0)) for s in container.streams}
        frames = [f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0)]
    return np.split(np.stack(frames), np.stack(frames).shape[2] // SIZE, axis=2), seconds


def like(shown: np.ndarray, expected: np.ndarray) -> bool:
    """Equal up to the codec, above the corner with the label."""
    rows = slice(0, SIZE * 3 // 4)
    return bool(np.abs(shown[:, rows] - expected[:, rows].astype(int)).mean() < 6)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_four_panels_with_sound(studio, scene, take):
    maker = studio()
    assert make_film(maker, scene, take, SOUND, alone=False)
    (speaker, listener, mesh, face), seconds = panels(take.file("", ".mp4"))
    for shown, person in ((speaker, scene.speaker), (listener, scene.listener)):
        assert like(shown, np.stack([framed(f, SIZE) for f in recorded_frames(person.video, 6)]))
    assert like(mesh, render(scene.reaction, size=SIZE, shading="flat"))
    assert like(face, render(scene.reaction, size=SIZE))
    assert seconds["video"] == pytest.approx(FRAMES / 25)
    assert seconds["audio"] == pytest.approx(FRAMES / 25, abs=0.1)
    assert files(take.folder) == ["b1_ind1.json", "b1_ind1.mp4"]


def test_the_record_has_the_originals_keys(studio, scene, take):
    make_film(studio(), scene, take, SOUND, alone=True)
    record = json.loads(take.file("", ".json").read_text())
    listener = [str(scene.listener.video / f"{t}.png") for t in range(1, FRAMES + 1)]
    assert record["lt_gt_frame_address"] == listener
    assert record["sp_gt_frame_address"][0] == str(scene.speaker.video / "1.png")
    assert record["mesh_video_address"] == str(take.folder / "mesh_video_b1_ind1.mp4")
    assert record["fake_video_address"] == str(take.folder / "fake_video_b1_ind1.mp4")
    assert record["panels"] == ["speaker", "recorded listener", "mesh", "generated"]
    assert (record["speaker"], record["frames"], record["fps"]) == ("speaker", FRAMES, 25)
    (mesh,), seconds = panels(take.file("mesh_video", ".mp4"))
    assert like(mesh, render(scene.reaction, size=SIZE, shading="flat"))
    assert "audio" not in seconds


def test_frames_as_images(studio, scene, take):
    make_film(studio(images=True), scene, take, SOUND, alone=True)
    expected = render(scene.reaction, size=SIZE, shading="flat")
    folder = take.file("mesh_video", "")
    assert files(folder) == [f"frame_{t}.png" for t in range(FRAMES)]
    for number, picture in enumerate(expected):
        np.testing.assert_array_equal(Image.open(folder / f"frame_{number}.png"), picture)
    assert len(files(take.file("fake_video", ""))) == FRAMES


def test_without_recordings_heads_are_drawn(studio, unseen, take):
    make_film(studio(photoreal=True), unseen, take, SOUND, alone=False)
    (speaker, listener, _, face), _ = panels(take.file("", ".mp4"))
    assert like(speaker, render(unseen.speaker.coeffs, size=SIZE))
    assert like(listener, render(unseen.listener.coeffs, size=SIZE))
    assert like(face, render(unseen.reaction, size=SIZE))
    record = json.loads(take.file("", ".json").read_text())
    assert record["panels"][3] == "generated"
    assert record["lt_gt_frame_address"] == []


@pytest.mark.slow
def test_photoreal_faces(studio, scene, take):
    maker = studio(photoreal=True)
    make_film(maker, scene, take, SOUND, alone=True)
    made = list(maker.face(scene))
    assert {frame.shape for frame in made} == {(224, 224, 3)}
    with av.open(str(take.file("fake_video", ".mp4"))) as container:
        shown = [f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0)]
    assert np.abs(np.stack(shown) - np.stack(made)).mean() < 12
    assert json.loads(take.file("", ".json").read_text())["panels"][3] == "photo-real"


def test_no_film_is_made_twice_of_the_same(studio, scene, take, pirender):
    def make(scene=scene, alone=True, **options) -> bool:
        return make_film(studio(**options), scene, take, SOUND, alone)

    assert make()
    assert not make()
    take.file("fake_video", ".mp4").unlink()
    assert make()
    assert make(dataclasses.replace(scene, reaction=scene.reaction + 0.01))
    assert make(photoreal=True)
    assert not make(photoreal=True)
    take.file("", ".json").write_text("{")
    assert make(photoreal=True)


def test_what_fails_half_way_leaves_nothing(studio, scene, take):
    (scene.listener.video / "4.png").write_bytes(b"damaged")
    make = studio(images=True)
    with pytest.raises(UserError, match=r"4\.png: not a readable image"):
        make_film(make, scene, take, SOUND, alone=True)
    assert files(take.folder) == []


def test_stand_ins_are_named_once(studio, scene, unseen):
    maker = studio()
    remarks = maker.remarks(unseen)
    assert [remark.split(":")[0] for remark in remarks] == [
        "recorded faces",
        "photo-real face",
        "mesh",
    ]
    assert "--pirender" in remarks[1]
    assert maker.remarks(unseen) == []
    assert [remark.split(":")[0] for remark in studio(photoreal=True).remarks(scene)] == ["mesh"]


def test_a_generator_of_other_coefficients_is_refused_at_once(pirender, monkeypatch):
    other = jaxreact.load_face_generator(pirender)
    other.config = UPSTREAM
    monkeypatch.setattr("jaxreact.evaluation.drawing.studio.load_face_generator", lambda _: other)
    with pytest.raises(UserError, match="takes 73 coefficients of the Basel Face Model"):
        open_studio(FilmOptions(pirender=pirender))
