import shutil

import numpy as np
import pytest

from jaxreact.data.contents import mean_face
from jaxreact.data.layout import EMOTION, Clip, frame_files
from jaxreact.data.react2024.data_set import React2024
from jaxreact.data.react2024.files import find
from jaxreact.errors import UserError
from tests.data.react2024_files import NOXI, RECOLA, TinyDataSet, write_tiny


@pytest.fixture
def data(tmp_path) -> TinyDataSet:
    return write_tiny(tmp_path)


def role_folder(data: TinyDataSet, clip: Clip) -> str:
    path = find(data.root, clip.split, EMOTION, clip.name)
    assert path is not None
    return path.parent.name


def test_mirrored_order_is_that_of_the_neighbour_matrices(data):
    dyads = React2024(data.root).dyads("train")
    pairs = [(dyad.speaker.name, dyad.listener.name) for dyad in dyads]
    assert pairs == [NOXI, RECOLA, NOXI[::-1], RECOLA[::-1]]
    assert len(React2024(data.root).dyads("train", mirrored=False)) == 2


def test_every_modality_is_cut_to_the_common_length(data):
    speaker = React2024(data.root).dyads("train")[0].speaker
    assert speaker.frames == 60
    np.testing.assert_array_equal(React2024(data.root).coeffs(speaker), data.coeffs(NOXI[0], 60))
    np.testing.assert_allclose(
        React2024(data.root).emotion(speaker), data.emotion(NOXI[0]), atol=1e-6
    )
    assert (
        React2024(data.root).coeffs(speaker).dtype
        == React2024(data.root).emotion(speaker).dtype
        == np.float32
    )
    assert React2024(data.root).dyads("train", modalities=["coeffs"])[0].frames == 61


def test_started_frame_of_sound_counts(data):
    import soundfile

    path = data.path("Audio_files", NOXI[0], ".wav")
    soundfile.write(path, np.zeros(int(44100 * 0.99)), 44100)
    assert React2024(data.root).dyads("train")[0].speaker.frames == 25


def test_roles_p1_and_p2_of_the_emotion_folder(data):
    for name, role in zip(data.names, ["P1", "P2", "P1", "P2"], strict=True):
        folder = data.path("Emotion", name, ".csv").parent
        folder.rename(folder.parent / role)
    dyads = React2024(data.root).dyads("train")
    assert [role_folder(data, dyad.speaker) for dyad in dyads] == ["P1", "P1", "P2", "P2"]
    for dyad in dyads:
        expected = data.emotion(dyad.speaker.name)
        np.testing.assert_allclose(React2024(data.root).emotion(dyad.speaker), expected, atol=1e-6)


def test_literal_emotion_path_wins_over_the_role(data):
    wrong = data.path("Emotion", NOXI[0].replace("Expert_video", "P1"), ".csv")
    wrong.parent.mkdir()
    shutil.copy(data.path("Emotion", NOXI[1], ".csv"), wrong)
    assert role_folder(data, React2024(data.root).dyads("train")[0].speaker) == "Expert_video"


def test_site_in_another_case(data):
    for folder in ("Emotion", "3D_FV_files", "Audio_files"):
        site = data.root / "train" / folder / "RECOLA"
        site.rename(site.with_name("Recola"))
    assert [dyad.frames for dyad in React2024(data.root).dyads("train")] == [60] * 4


def test_stray_files_of_a_cloud_download_are_not_read(data):
    coeffs = data.path("3D_FV_files", NOXI[0], ".npy")
    np.save(coeffs.with_name("1_full.npy"), np.full((61, 58), np.nan))
    coeffs.with_name("._1.npy").write_bytes(b"\0")
    (data.root / "train" / "Emotion" / ".DS_Store").write_bytes(b"\0")
    np.testing.assert_array_equal(
        React2024(data.root).coeffs(React2024(data.root).dyads("train")[0].speaker),
        data.coeffs(NOXI[0], 60),
    )
    coeffs.unlink()
    with pytest.raises(UserError, match="1 file of split train missing"):
        React2024(data.root).dyads("train")


def test_missing_files_are_reported_together(data, capsys):
    data.path("3D_FV_files", NOXI[0], ".npy").unlink()
    data.path("Audio_files", RECOLA[1], ".wav").unlink()
    data.path("Emotion", RECOLA[0], ".csv").write_text("")
    with pytest.raises(UserError) as error:
        React2024(data.root).dyads("train")
    message = str(error.value)
    assert "3 files" in message
    assert f"train/3D_FV_files/{NOXI[0]}.npy" in message
    assert f"train/Audio_files/{RECOLA[1]}.wav" in message
    assert f"train/Emotion/{RECOLA[0]}.csv (empty)" in message
    assert "\n" not in message
    assert capsys.readouterr().err == ""


def test_more_missing_files_than_a_line_holds_are_all_on_stderr(data, capsys):
    rows = [(f"NoXI/chat/Expert_video/{n}", f"NoXI/chat/Novice_video/{n}") for n in range(30)]
    data.write_list(rows)
    with pytest.raises(UserError, match=r"60 files .* and 40 more") as error:
        React2024(data.root).dyads("train", modalities=["coeffs"])
    assert str(error.value).count(".npy") == 20
    assert capsys.readouterr().err.count(".npy") == 60


def test_sound_is_needed_of_the_speaker_only(data):
    data.path("Audio_files", NOXI[1], ".wav").unlink()
    data.write_list([NOXI])
    dyad = React2024(data.root).dyads("train", mirrored=False)[0]
    assert (dyad.speaker.modalities, dyad.listener.modalities) == (
        ("coeffs", "emotion", "audio"),
        ("coeffs", "emotion"),
    )
    with pytest.raises(ValueError, match="was read without audio"):
        React2024(data.root).waveform(dyad.listener, 0, 10)
    with pytest.raises(UserError, match="Audio_files"):
        React2024(data.root).dyads("train")


def test_first_row_of_the_list_is_dropped_whatever_it_says(data):
    (data.root / "train.csv").write_text(f"0,{NOXI[0]},{NOXI[1]}\n1,{RECOLA[0]},{RECOLA[1]}\n")
    assert React2024(data.root).dyads("train")[0].speaker.name == RECOLA[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",speaker_path,listener_path\n", "lists no conversation"),
        ("", "lists no conversation"),
        (",s,l\n0,NoXI/a/b/1\n", "row 2"),
        (",s,l\n0,NoXI/../b/1,NoXI/a/b/1\n", "row 2"),
        (f",s,l\n0,NoXI/a/b/{'1' * 300},NoXI/a/b/1\n", "row 2"),
        (f",s,l\n0,{'NoXI/' * 2000}1,NoXI/a/b/1\n", "row 2"),
        (',s,l\n0,"NoXI/a/b/1\n1",NoXI/a/b/1\n', "row 2"),
    ],
)
def test_bad_lists(data, text, message):
    (data.root / "train.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        React2024(data.root).dyads("train")


def test_root_that_is_no_data_set(tmp_path):
    with pytest.raises(UserError, match=r"val\.csv: no such file; the data root must hold"):
        React2024(tmp_path).dyads("val")


def test_unreadable_files_are_found_before_anything_starts(data):
    np.save(data.path("3D_FV_files", NOXI[0], ".npy"), np.zeros((61, 52)))
    data.path("3D_FV_files", NOXI[1], ".npy").write_bytes(b"nonsense")
    np.save(
        data.path("3D_FV_files", RECOLA[0], ".npy"), np.array([{"a": 1}], object), allow_pickle=True
    )
    data.path("Audio_files", RECOLA[0], ".wav").write_bytes(b"RIFF")
    with pytest.raises(UserError) as error:
        React2024(data.root).dyads("train")
    assert "4 files" in str(error.value)
    assert "shape (61, 52) instead of (frames, 58)" in str(error.value)
    assert "not a sound file" in str(error.value)


def test_values_that_are_not_finite_name_file_and_frame(data):
    table = data.coeffs(NOXI[0])
    table[7, 3] = np.inf
    np.save(data.path("3D_FV_files", NOXI[0], ".npy"), table)
    emotion = data.emotion(NOXI[0])
    emotion[5, 0] = np.nan
    data.write_emotion(NOXI[0], emotion)
    clip = React2024(data.root).dyads("train")[0].speaker
    with pytest.raises(UserError, match=r"1\.npy.* frame 7"):
        React2024(data.root).coeffs(clip)
    with pytest.raises(UserError, match=r"1\.csv.* frame 5"):
        React2024(data.root).emotion(clip)


def test_emotion_with_wrong_columns_or_text(data):
    clip = React2024(data.root).dyads("train")[0].speaker
    data.write_emotion(NOXI[0], np.zeros((60, 24)))
    with pytest.raises(UserError, match="24 columns instead of 25"):
        React2024(data.root).emotion(clip)
    path = data.write_emotion(NOXI[0], data.emotion(NOXI[0]))
    path.write_text(path.read_text().replace("0.125", "happy"))
    with pytest.raises(UserError, match=r"not a table of numbers \(could not convert .*'happy'"):
        React2024(data.root).emotion(clip)


def test_coefficients_with_extra_axes(data):
    np.save(data.path("3D_FV_files", NOXI[0], ".npy"), data.coeffs(NOXI[0])[:, None, None])
    np.testing.assert_array_equal(
        React2024(data.root).coeffs(React2024(data.root).dyads("train")[0].speaker),
        data.coeffs(NOXI[0], 60),
    )


def test_mean_face(data):
    assert mean_face(data.root).shape == (58,)
    np.save(data.root / "mean_face.npy", np.zeros(52))
    with pytest.raises(UserError, match=r"shape \(52,\) instead of \(58,\)"):
        mean_face(data.root)
    (data.root / "mean_face.npy").unlink()
    with pytest.raises(UserError, match="neither REACT2024 nor MARS has it"):
        mean_face(data.root)


def test_video_is_a_frame_folder_or_a_film_or_nothing(data):
    clip = React2024(data.root).dyads("train")[0].speaker
    assert React2024(data.root).video(clip) is None
    film = data.path("Video_files", clip.name, ".mp4")
    film.parent.mkdir(parents=True)
    film.write_bytes(b"")
    assert React2024(data.root).video(clip) == film
    folder = film.with_suffix("")
    folder.mkdir()
    assert React2024(data.root).video(clip) == film
    for name in ("10.png", "9.png", "100.png", "._9.png", ".DS_Store"):
        (folder / name).write_bytes(b"")
    assert React2024(data.root).video(clip) == folder
    numbers = [path.stem for path in frame_files(folder)]
    assert numbers == ["9", "10", "100"]
