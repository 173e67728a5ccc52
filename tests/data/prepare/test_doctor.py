"""What the doctor finds in a data set, and what is left out of a cache for it."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from jaxreact.data.conversations import open_conversations
from jaxreact.data.prepare import PrepareConfig, prepare
from jaxreact.data.prepare.doctor import examine
from jaxreact.data.prepare.report import as_json, as_text
from jaxreact.errors import UserError
from tests.data.prepare.running import run
from tests.data.react2024_files import MEAN_FACE, NOXI, RECOLA, TinyDataSet, write_tiny


def found(data: TinyDataSet) -> dict[tuple[str, str], tuple[str, str]]:
    """(kind, path) -> (severity, message)."""
    findings = examine(data.root, workers=1).findings
    return {(each.kind, each.path): (each.severity, each.message) for each in findings}


def test_a_data_set_in_order(data, capsys, tmp_path):
    np.save(data.root / "neighbour_emotion_train.npy", np.eye(4))
    run(data, None, check_only=True, json=tmp_path / "report.json")
    text = capsys.readouterr().out
    assert "0 problems" in text
    assert "can be packed" in text
    assert "val: absent; training needs it" in text
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["packable"]
    assert report["absent"] == ["val", "test"]
    assert report["splits"]["train"]["pairs"] == 2
    assert report["splits"]["train"]["frames"] == [[60, 2]]
    assert report["counts"][0] == {
        "split": "train",
        "site": "NoXI",
        "role": "Expert_video",
        "clips": 1,
        "coeffs": 1,
        "emotion": 1,
        "audio": 1,
    }
    assert [(row["site"], row["role"]) for row in report["counts"]] == [
        ("NoXI", "Expert_video"),
        ("NoXI", "Novice_video"),
        ("RECOLA", "P41"),
        ("RECOLA", "P42"),
    ]
    assert report["findings"] == []


def test_every_trouble_with_a_file_has_its_name(data):
    data.path("3D_FV_files", NOXI[0], ".npy").unlink()
    np.save(data.path("3D_FV_files", NOXI[1], ".npy"), np.zeros((60, 52)))
    bad = data.coeffs(RECOLA[0])
    bad[7, 3] = np.nan
    np.save(data.path("3D_FV_files", RECOLA[0], ".npy"), bad)
    coeffs = data.path("3D_FV_files", RECOLA[1], ".npy")
    coeffs.write_bytes(coeffs.read_bytes()[:-500])
    data.path("Emotion", NOXI[0], ".csv").write_text("")
    emotion = data.path("Emotion", NOXI[1], ".csv")
    emotion.write_bytes(emotion.read_bytes()[:-40])
    sound = data.path("Audio_files", NOXI[0], ".wav")
    sound.write_bytes(sound.read_bytes()[:-100_000])
    soundfile.write(
        data.path("Audio_files", NOXI[1], ".wav"), np.full(4410, np.nan), 44100, subtype="FLOAT"
    )
    seen = found(data)
    assert {key for key, (severity, _) in seen.items() if severity == "problem"} == {
        ("missing", f"train/3D_FV_files/{NOXI[0]}.npy"),
        ("shape", f"train/3D_FV_files/{NOXI[1]}.npy"),
        ("not finite", f"train/3D_FV_files/{RECOLA[0]}.npy"),
        ("damaged", f"train/3D_FV_files/{RECOLA[1]}.npy"),
        ("damaged", f"train/Emotion/{NOXI[0]}.csv"),
        ("damaged", f"train/Emotion/{NOXI[1]}.csv"),
        ("damaged", f"train/Audio_files/{NOXI[0]}.wav"),
        ("not finite", f"train/Audio_files/{NOXI[1]}.wav"),
    }
    assert "frame 7" in seen["not finite", f"train/3D_FV_files/{RECOLA[0]}.npy"][1]
    assert "cut off" in seen["damaged", f"train/Audio_files/{NOXI[0]}.wav"][1]
    counts = as_json(examine(data.root, 1))["counts"]
    assert [row["coeffs"] for row in counts] == [0, 0, 0, 0]
    assert [row["audio"] for row in counts] == [0, 0, 1, 1]


def test_lengths_are_compared_within_a_clip_and_between_persons(data):
    data.write_emotion(NOXI[0], data.emotion(NOXI[0], 50))
    for name, frames in ((RECOLA[0], 30), (RECOLA[1], 60)):
        np.save(data.path("3D_FV_files", name, ".npy"), data.coeffs(name, frames))
        data.write_emotion(name, data.emotion(name, frames))
        sound = data.path("Audio_files", name, ".wav")
        noise = np.random.default_rng(frames).uniform(-0.5, 0.5, int(44100 * frames / 25))
        soundfile.write(sound, noise, 44100)
    seen = found(data)
    assert seen == {
        ("length", f"train/Emotion/{NOXI[0]}.csv"): (
            "remark",
            f"50 frames of 1/25 s, the partner has 60 (train/Emotion/{NOXI[1]}.csv)",
        ),
        ("length", f"train/3D_FV_files/{RECOLA[0]}.npy"): (
            "problem",
            f"30 frames of 1/25 s, the partner has 60 (train/3D_FV_files/{RECOLA[1]}.npy)",
        ),
    }
    within = [each.message for each in examine(data.root, 1).findings if each.clip]
    assert within == ["coeffs 61, emotion 50, audio 60 frames of 1/25 s"]


def test_a_file_cut_off_within_a_clip_is_a_problem(data):
    data.write_emotion(NOXI[0], data.emotion(NOXI[0], 30))
    seen = [(each.severity, each.clip, each.pair) for each in examine(data.root, 1).findings]
    assert seen == [("problem", NOXI[0], None), ("problem", None, 0)]


def test_files_that_no_list_mentions(data):
    meant = data.path("3D_FV_files", NOXI[0], ".npy")
    typo = data.path("3D_FV_files", NOXI[0].replace("Expert", "Expret"), ".npy")
    typo.parent.mkdir()
    meant.rename(typo)
    for name in ("1_full.npy", "._1.npy", ".DS_Store"):
        (meant.parent / name).write_bytes(b"")
    other = meant.with_name("2.npy")
    other.write_bytes(b"")
    emotion = data.path("Emotion", NOXI[0], ".csv").parent
    emotion.rename(emotion.with_name("P1"))
    shutil.move(data.root / "train/Emotion/RECOLA", data.root / "train/Emotion/Recola")
    assert found(data) == {
        ("missing", f"train/3D_FV_files/{NOXI[0]}.npy"): ("problem", ""),
        ("misnamed", typo.relative_to(data.root).as_posix()): (
            "remark",
            f"is it the missing train/3D_FV_files/{NOXI[0]}.npy?",
        ),
        ("unlisted", other.relative_to(data.root).as_posix()): ("remark", ""),
    }


def write_sources(data: TinyDataSet, matrix: np.ndarray) -> None:
    """The release's whole matrix and index of three pairs, two of which are the split's."""
    rows = ["site,chat_index,clip_index", "Recola,group-2,1", "NoXI,elsewhere,1"]
    rows.append("NoXI,010_2016-03-25_Paris,1")
    (data.root / "data_indices.csv").write_text("\n".join(rows))
    np.save(data.root / "Approprirate_facial_reaction.npy", matrix)


@pytest.fixture
def val(tmp_path) -> tuple[TinyDataSet, np.ndarray, np.ndarray]:
    """A validation split with sources of its matrix, which is the last."""
    data = write_tiny(tmp_path / "data", "val")
    whole = np.eye(6)
    whole[2, 0] = whole[0, 2] = whole[2, 5] = 1
    write_sources(data, whole)
    rows = [2, 0, 5, 3]
    return data, whole, whole[np.ix_(rows, rows)]


def test_a_matrix_in_order_and_one_that_is_built(val, tmp_path):
    data, _, expected = val
    built = examine(data.root, 1)
    assert built.findings == []
    assert built.splits["val"].matrix.story.startswith("built from Approprirate")
    np.testing.assert_array_equal(built.splits["val"].matrix.values, expected)
    np.save(data.root / "neighbour_emotion_val.npy", expected)
    assert "agrees with" in examine(data.root, 1).splits["val"].matrix.story
    run(data, tmp_path / "cache")
    packed = open_conversations(tmp_path / "cache")
    np.testing.assert_array_equal(packed.neighbours("val", 4), expected)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda m: np.eye(6), r"shape (6, 6), but val.csv lists 2 pairs"),
        (lambda m: m * 0.5, "other values than 0 and 1"),
        (lambda m: m - np.diag([0, 1, 0, 0]), "1 of 4 clips are not appropriate to themselves: 1"),
        (lambda m: m[[3, 1, 2, 0]], "2 of 4 clips are not appropriate to themselves"),
        (lambda m: m[np.ix_([2, 3, 0, 1], [2, 3, 0, 1])], "probably in another order than val.csv"),
        (lambda m: np.eye(4), "2 of 4 rows differ from those"),
        (lambda m: m[0], "not a square matrix"),
    ],
)
def test_a_matrix_that_is_wrong(val, spoil, message, tmp_path):
    data, _, expected = val
    path = data.root / "neighbour_emotion_val.npy"
    np.save(path, spoil(expected))
    ((key, (severity, said)),) = found(data).items()
    assert (key, severity) == (("matrix", path.name), "problem")
    assert message in said
    with pytest.raises(UserError, match=r"1 matrix"):
        run(data, tmp_path / "cache")
    run(data, tmp_path / "cache", drop_broken=True)
    packed = open_conversations(tmp_path / "cache")
    np.testing.assert_array_equal(packed.neighbours("val", 4), expected)


def test_rows_without_an_index_are_refused_and_never_shifted(val, tmp_path):
    data, _, _ = val
    path = data.root / "data_indices.csv"
    path.write_text("site,chat_index,clip_index\nNoXI,010_2016-03-25_Paris,1\n")
    np.save(data.root / "Approprirate_facial_reaction.npy", np.eye(2))
    with pytest.raises(UserError, match="1 matrix"):
        run(data, tmp_path / "cache")
    run(data, tmp_path / "cache", drop_broken=True)
    with pytest.raises(UserError, match="holds no neighbour matrix of val"):
        open_conversations(tmp_path / "cache").neighbours("val", 4)


def test_an_absent_matrix_is_a_remark_where_one_is_needed(data, tmp_path):
    assert found(data) == {}
    val = write_tiny(tmp_path / "other", "val")
    ((key, (severity, _)),) = found(val).items()
    assert (key, severity) == (("matrix", "neighbour_emotion_val.npy"), "remark")


def test_what_nothing_can_be_packed_without(data, tmp_path):
    (data.root / "mean_face.npy").unlink()
    with pytest.raises(UserError, match=r"mean_face\.npy: no such file"):
        run(data, tmp_path / "cache", drop_broken=True)
    np.save(data.root / "mean_face.npy", np.zeros(58))
    (data.root / "val.csv").write_text(",s,l\n0,NoXI/a,b\n")
    with pytest.raises(UserError, match=r"val\.csv: row 2"):
        run(data, tmp_path / "cache", drop_broken=True)
    with pytest.raises(UserError, match=r"none of train\.csv, val\.csv, test\.csv is here"):
        prepare(PrepareConfig(tmp_path / "nowhere", check_only=True))
    with pytest.raises(UserError, match="--out CACHE is needed"):
        PrepareConfig(data.root)


def test_the_text_names_every_problem_up_to_a_number_and_json_all(data, tmp_path, capsys):
    rows = [(f"NoXI/chat/Expert_video/{n}", f"NoXI/chat/Novice_video/{n}") for n in range(12)]
    data.write_list(rows)
    text = as_text(examine(data.root, 1))
    assert text.count("3D_FV_files/NoXI/chat") + text.count("Emotion/NoXI/chat") <= 20
    assert "missing: 72" in text
    assert "and 52 more; --json FILE lists all" in text
    with pytest.raises(UserError, match=r"72 problem\(s\) \(72 missing\) concern 12 of 12 pairs"):
        run(data, None, check_only=True, json=tmp_path / "report.json")
    assert "72 problems" in capsys.readouterr().out
    report = json.loads((tmp_path / "report.json").read_text())
    assert not report["packable"]
    assert sum(each["kind"] == "missing" for each in report["findings"]) == 72


def test_broken_pairs_are_left_out_with_their_rows_and_columns(tmp_path):
    data = write_tiny(tmp_path / "data", "val")
    matrix = np.eye(4)
    matrix[1, 3] = 1
    np.save(data.root / "neighbour_emotion_val.npy", matrix)
    data.path("Audio_files", NOXI[1], ".wav").unlink()
    with pytest.raises(UserError, match=r"1 problem\(s\) \(1 missing\) concern 1 of 2 pairs"):
        run(data, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    run(data, tmp_path / "cache", drop_broken=True)
    packed = open_conversations(tmp_path / "cache")
    dyads = packed.dyads("val")
    assert [(dyad.speaker.name, dyad.listener.name) for dyad in dyads] == [RECOLA, RECOLA[::-1]]
    np.testing.assert_array_equal(packed.neighbours("val", 2), [[1, 1], [0, 1]])
    data.path("Audio_files", RECOLA[1], ".wav").unlink()
    with pytest.raises(UserError, match=r"val\.csv: not one pair is in order"):
        run(data, tmp_path / "cache", drop_broken=True)


def test_what_makes_no_sense_is_a_remark_and_packed_all_the_same(data, tmp_path):
    coeffs = data.path("3D_FV_files", NOXI[0], ".npy")
    np.save(coeffs, data.coeffs(NOXI[0]) - MEAN_FACE)
    data.write_emotion(NOXI[1], 100 * data.emotion(NOXI[1]))
    sound = data.path("Audio_files", RECOLA[0], ".wav")
    soundfile.write(sound, np.zeros(int(44100 * 2.4)), 44100)
    np.save(data.root / "mean_face.npy", np.zeros(58, np.float32))
    remarks = {(each.kind, each.path): each for each in examine(data.root, 1).findings}
    assert {each.severity for each in remarks.values()} == {"remark"}
    assert set(remarks) == {
        ("mean face", coeffs.relative_to(data.root).as_posix()),
        ("range", f"train/Emotion/{NOXI[1]}.csv"),
        ("silent", f"train/Audio_files/{RECOLA[0]}.wav"),
        ("mean face", "mean_face.npy"),
    }
    assert remarks["range", f"train/Emotion/{NOXI[1]}.csv"].clip == NOXI[1]
    run(data, tmp_path / "cache")
    assert len(open_conversations(tmp_path / "cache").dyads("train")) == 4


def test_clips_that_make_no_sense_do_not_speak_against_the_mean_face(data):
    for name in data.names:
        np.save(data.path("3D_FV_files", name, ".npy"), data.coeffs(name) - MEAN_FACE)
    assert {path for kind, path in found(data) if kind == "mean face"} == {
        f"train/3D_FV_files/{name}.npy" for name in data.names
    }


def test_remarks_of_readers_are_findings_and_not_shown(data, recwarn):
    path = data.path("Emotion", NOXI[0], ".csv")
    path.write_text(path.read_text().partition("\n")[2])
    rows = [RECOLA, NOXI, RECOLA, NOXI[::-1]]  # no header: the first row stands in its place
    lines = [f"{number},{one},{other}\n" for number, (one, other) in enumerate(rows)]
    (data.root / "train.csv").write_text("".join(lines))
    findings = [(each.kind, each.path, each.message) for each in examine(data.root, 1).findings]
    first = "its first row names two clips and is not read, a header belongs there"
    line = "no header: its first line is read as a frame"
    assert findings == [
        ("list", "train.csv", first),
        ("list", "train.csv", f"pair 3 is pair 1 again: {NOXI[1]}, {NOXI[0]}"),
        ("doubtful", f"train/Emotion/{NOXI[0]}.csv", line),
    ]
    assert len(recwarn) == 0


def test_files_of_the_same_bytes_in_two_places(data):
    one, other = (data.path("3D_FV_files", name, ".npy") for name in NOXI)
    shutil.copy(one, other)
    assert found(data) == {
        ("twin", f"train/3D_FV_files/{NOXI[1]}.npy"): (
            "remark",
            f"the same bytes as train/3D_FV_files/{NOXI[0]}.npy",
        )
    }


def test_a_matrix_of_ones_and_an_index_without_a_header(val):
    data, whole, _ = val
    np.save(data.root / "neighbour_emotion_val.npy", np.ones((4, 4)))
    np.save(data.root / "Approprirate_facial_reaction.npy", np.ones_like(whole))
    ((_, (severity, message)), *_) = found(data).items()
    assert (severity, message[:8]) == ("remark", "all ones")
    (data.root / "neighbour_emotion_val.npy").unlink()
    rows = (
        (data.root / "data_indices.csv").read_text().replace("site,chat_index,clip_index", "A,b,1")
    )
    (data.root / "data_indices.csv").write_text(rows)
    assert ("matrix", "data_indices.csv") in found(data)


def test_the_simulation_gives_no_cause_for_remarks(conversations):
    assert examine(conversations, 1).findings == []


def test_whatever_a_library_raises_is_a_problem_of_the_file(data, monkeypatch):
    def fail(path):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "of a tag")

    monkeypatch.setattr("jaxreact.data.prepare.examine.read_native_audio", fail)
    kinds = {(kind, severity) for (kind, _), (severity, _) in found(data).items()}
    assert kinds == {("damaged", "problem")}
