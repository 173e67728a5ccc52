"""The videos of `grid` and `compare`."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.errors import UserError
from jaxreact.rendering import render
from jaxreact.rendering.options import Drawing, HeadFiles
from jaxreact.rendering.pictures.compare import Compare
from jaxreact.rendering.pictures.grid import Grid
from jaxreact.rendering.pictures.panels import Panel, columns_for, in_rows
from jaxreact.rendering.pictures.reactions import Reactions, Recording, read_reactions
from jaxreact.rendering.pictures.systems import distinct_names
from tests.rendering.files import (
    CLIPS,
    FRAMES,
    moving,
    nobody,
    predictions_file,
    reaction_file,
)

SMALL = Drawing(size=48)


def read(path: Path) -> tuple[np.ndarray, list[str]]:
    """Pictures of a video and the codecs of its streams."""
    with av.open(str(path)) as container:
        codecs = [stream.codec_context.name for stream in container.streams]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(frames).astype(int), codecs


def looks_like(shown: np.ndarray, coeffs: np.ndarray) -> float:
    """Mean difference, in 8-bit steps, of a panel and a face; but for the label at the bottom."""
    face = render(coeffs, size=48).astype(int)
    return float(np.abs(shown - face)[:, :28].mean())


@pytest.mark.parametrize(
    ("panels", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (5, 5), (7, 4), (11, 4), (12, 4)]
)
def test_columns_leave_few_places_empty(panels, columns):
    assert columns_for(panels) == columns


def test_panels_are_the_rendered_faces_in_reading_order():
    faces = [moving(2, seed=seed) for seed in range(5)]
    panels = [Panel("", face) for face in faces]
    pictures = np.stack(list(in_rows(panels, 3, SMALL)))
    assert pictures.shape == (2, 96, 144, 3)
    for index, face in enumerate(faces):
        row, column = divmod(index, 3)
        shown = pictures[:, 48 * row : 48 * row + 48, 48 * column : 48 * column + 48]
        np.testing.assert_array_equal(shown, render(face, size=48))
    assert (pictures[:, 48:, 96:] == 0).all()


def test_labels_are_drawn_in_the_lower_left_corner():
    (bare,) = in_rows([Panel("", moving(1))], 1, SMALL)
    (named,) = in_rows([Panel("sample 1", moving(1))], 1, SMALL)
    changed = (bare != named).any(axis=2)
    assert changed[28:].any()
    assert not changed[:28].any()


def test_grid_shows_speaker_listener_and_samples_with_sound(tmp_path, conversations, capsys):
    dyad = open_conversations(conversations).dyads("val")[0]
    names = [dyad.speaker.name for dyad in open_conversations(conversations).dyads("val")]
    path = predictions_file(tmp_path / "p.npz", names)
    out = tmp_path / "new" / "grid.mp4"
    Grid(path, out, Recording(data=conversations), columns=3, drawing=SMALL).run()
    pictures, codecs = read(out)
    assert pictures.shape == (FRAMES, 96, 144, 3)
    assert codecs == ["h264", "aac"]
    speaker = open_conversations(conversations).coeffs(dyad.speaker)[:FRAMES]
    listener = open_conversations(conversations).coeffs(dyad.listener)[:FRAMES]
    shown = {
        (row, column): pictures[:, 48 * row : 48 * row + 48, 48 * column : 48 * column + 48]
        for row in range(2)
        for column in range(3)
    }
    coeffs = moving(len(names), 3, FRAMES)[0]
    expected = [speaker, listener, *coeffs]
    for panel, face in zip(shown.values(), expected, strict=False):
        assert looks_like(panel, face) < 8
    # The measure tells faces apart.
    assert looks_like(shown[0, 0], coeffs[0]) > 12
    assert "speaker, recorded listener, sample 1, sample 2, sample 3" in capsys.readouterr().out


def test_grid_of_a_reaction_begins_with_its_speaker(tmp_path):
    path = reaction_file(tmp_path / "reaction.npz")
    Grid(path, tmp_path / "grid.mp4", samples=1, drawing=SMALL).run()
    pictures, codecs = read(tmp_path / "grid.mp4")
    assert pictures.shape == (FRAMES, 48, 96, 3)
    assert codecs == ["h264"]
    assert looks_like(pictures[:, :, :48], moving(FRAMES, seed=50)) < 8
    assert looks_like(pictures[:, :, 48:], moving(2, FRAMES)[0]) < 8


def test_compare_shows_the_same_sample_of_each_system(tmp_path, capsys):
    paths = tuple(
        predictions_file(tmp_path / name / "predictions.npz", seed=seed, frames=FRAMES - seed)
        for seed, name in enumerate(("ours", "theirs"))
    )
    out = tmp_path / "both.mp4"
    Compare(paths, out, recording=Recording(clip=CLIPS[1]), sample=2, drawing=SMALL).write(nobody)
    pictures, _ = read(out)
    assert pictures.shape == (FRAMES - 1, 48, 96, 3)
    for column, frames in enumerate((FRAMES, FRAMES - 1)):
        face = moving(2, 3, frames, seed=column)[1, 1, : FRAMES - 1]
        assert looks_like(pictures[:, :, 48 * column : 48 * column + 48], face) < 8
    assert f"{CLIPS[1]}: ours, theirs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/ours.npz", "runs/theirs.npz"], ["ours", "theirs"]),
        (["a/predictions.npz", "b/predictions.npz"], ["a", "b"]),
        (["a/eval/p.npz", "b/eval/p.npz"], ["a/eval", "b/eval"]),
        (["a/p.npz", "a/p.npz"], ["a (1)", "a (2)"]),
    ],
)
def test_names_tell_the_systems_apart(paths, names):
    assert distinct_names([Path(path) for path in paths]) == names


def two(folder: Path, *, clips=CLIPS, **more) -> tuple[Path, Path]:
    return (
        predictions_file(folder / "a.npz"),
        predictions_file(folder / "b.npz", clips=clips, **more),
    )


OTHERS = (CLIPS[0], "NoXI/other/Expert_video/1")


@pytest.mark.parametrize(
    ("files", "change", "message"),
    [
        (lambda f: two(f, clips=OTHERS), {}, r"b\.npz: clip 1 is NoXI/other.* in .*a\.npz"),
        (lambda f: two(f, clips=CLIPS[:1]), {}, r"b\.npz: 1 clips, .*a\.npz has 2"),
        (lambda f: two(f, clips=None), {}, r"b\.npz: does not say .*a\.npz"),
        (lambda f: two(f, samples=1), {"sample": 2}, r"--sample 2: .*b\.npz has 1 to 1"),
        (two, {"sample": 0}, "--sample 0"),
        (two, {"names": ("one",)}, "1 names for 2 systems"),
        (two, {"columns": 0}, "--columns 0"),
        (two, {"out": Path("both.avi")}, "both.avi"),
        (lambda f: two(f)[:1], {}, "two systems"),
        (lambda f: two(f) * 4, {}, "8 systems"),
        (lambda f: (two(f)[0], reaction_file(f / "r.npz")), {}, r"r\.npz"),
    ],
)
def test_compare_refuses_and_writes_nothing(tmp_path, files, change: dict, message: str):
    out = change.pop("out", tmp_path / "out.mp4")
    paths = files(tmp_path)
    with pytest.raises(UserError, match=message) as caught:
        Compare(paths, out, drawing=SMALL, **change).write(nobody)
    assert "\n" not in str(caught.value)
    assert {path.suffix for path in tmp_path.iterdir()} == {".npz"}


def test_runs_react_to_the_clip_and_stand_behind_the_files(tmp_path, capsys):
    asked = []

    def react(run: Path, recording: Recording, samples: int) -> Reactions:
        asked.append((run.name, recording.clip, samples))
        return replace(read_reactions(path, recording), coeffs=moving(3, FRAMES, seed=len(asked)))

    path = predictions_file(tmp_path / "ours.npz")
    runs = (tmp_path / "theirs", tmp_path / "others")
    out = tmp_path / "three.mp4"
    Compare((path,), out, run=runs, recording=Recording(clip="1"), sample=3, drawing=SMALL).write(
        react
    )
    assert asked == [("theirs", "1", 3), ("others", "1", 3)]
    assert f"{CLIPS[1]}: ours, theirs, others" in capsys.readouterr().out
    pictures, _ = read(out)
    for column, face in enumerate(
        [moving(2, 3, FRAMES)[1, 2], moving(3, FRAMES, seed=1)[2], moving(3, FRAMES, seed=2)[2]]
    ):
        assert looks_like(pictures[:, :, 48 * column : 48 * column + 48], face) < 8


def test_reactions_to_different_speakers_are_not_compared(tmp_path):
    same = (reaction_file(tmp_path / "a.npz"), reaction_file(tmp_path / "b.npz", seed=1))
    Compare(same, tmp_path / "same.mp4", drawing=SMALL).write(nobody)
    assert read(tmp_path / "same.mp4")[0].shape == (FRAMES, 48, 144, 3)
    np.savez(tmp_path / "c.npz", coeffs=moving(1, FRAMES), speaker=moving(FRAMES, seed=9))
    with pytest.raises(UserError, match=r"c\.npz: another speaker than in .*a\.npz"):
        Compare((same[0], tmp_path / "c.npz"), tmp_path / "no.mp4", drawing=SMALL).write(nobody)
    assert not (tmp_path / "no.mp4").exists()
    ours = dict(np.load(predictions_file(tmp_path / "d.npz")))
    np.savez(tmp_path / "e.npz", **ours | {"speaker": 1 - ours["speaker"]})
    with pytest.raises(UserError, match=r"e\.npz: another speaker than in .*d\.npz"):
        Compare((tmp_path / "d.npz", tmp_path / "e.npz"), tmp_path / "no.mp4").write(nobody)


def test_names_that_do_not_tell_systems_apart_are_refused(tmp_path):
    path = predictions_file(tmp_path / "a.npz")
    with pytest.raises(UserError, match="--names: us, us do not tell the systems apart"):
        Compare((path, path), tmp_path / "no.mp4", names=("us", "us")).write(nobody)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"out": "grid"}, "mp4"),
        ({"out": "p.npz/grid.mp4"}, "is a file, not a directory"),
        ({"samples": 0}, "--samples 0"),
        ({"samples": 4}, r"--samples 4: .*p\.npz has 3"),
        ({"columns": -1}, "--columns -1"),
    ],
)
def test_grid_refuses_and_writes_nothing(tmp_path, change: dict, message: str):
    path = predictions_file(tmp_path / "p.npz")
    out = tmp_path / change.pop("out", "grid.mp4")
    with pytest.raises(UserError, match=message):
        Grid(path, out, drawing=SMALL, **change).run()
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_is_no_video(tmp_path):
    (tmp_path / "grid.mp4").mkdir()
    with pytest.raises(UserError, match="is a directory"):
        Grid(predictions_file(tmp_path / "p.npz"), tmp_path / "grid.mp4").run()


@pytest.mark.parametrize("size", [0, 15, 2049])
def test_odd_sizes_are_refused(size):
    with pytest.raises(UserError, match=f"--size {size}"):
        Drawing(size=size)


def test_the_builtin_head_has_no_other_identity(tmp_path):
    with pytest.raises(UserError, match="--reference"):
        HeadFiles(reference=tmp_path / "reference_full.npy").load()
