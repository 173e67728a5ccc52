"""The doctor's findings in the MARS layout, and a cache of it."""

import json
import shutil

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.data.layout import MARS
from jaxreact.data.mars.eeg import CHANNELS
from jaxreact.data.prepare.command import PrepareConfig, prepare
from jaxreact.data.prepare.doctor import examine
from jaxreact.data.prepare.findings import PROBLEM
from jaxreact.errors import Remark
from jaxreact.media.video_writer import write_video
from tests.data.mars_files import MarsFiles, small

BIG_FIVE = "video_name,Extraversion,Agreeableness,Conscientiousness,Neuroticism,Openness\n"


@pytest.fixture
def files(tmp_path) -> MarsFiles:
    return small(tmp_path / "mars")


def found(files: MarsFiles, kind: str) -> list[tuple[str, str]]:
    examination = examine(files.root, workers=1)
    return [(f.path, f.message) for f in examination.findings if f.kind == kind]


def test_what_is_in_order_has_no_problems(files):
    examination = examine(files.root, workers=1)
    assert examination.of(PROBLEM) == []
    assert examination.absent == ("test",)
    assert {split: len(facts.pairs) for split, facts in examination.splits.items()} == {
        "train": 3,
        "val": 1,
    }


def test_litter_is_counted(files):
    assert found(files, "litter") == [
        ("train", "2 files .DS_Store, never read"),
        ("train", "2 files ._*, never read"),
        ("train", "1 files __MACOSX, never read"),
    ]


def test_a_clip_without_a_partner(files):
    files.clip("val", "listener", "session4", "alone", 30)
    alone = "val/coefficients/listener/session4/alone.npy"
    assert found(files, "no partner") == [(alone, "left out")]


def test_a_missing_modality_is_a_problem_and_unequal_sides_are_not(files):
    files.pair("val", "session4", "x", 90, 30)
    (files.root / "val/facial-attributes/listener/session4/x.npy").unlink()
    assert found(files, "missing") == [("val/facial-attributes/listener/session4/x.npy", "")]
    files.pair("val", "session4", "x", 90, 30)
    examination = examine(files.root, workers=1)
    assert examination.of(PROBLEM) == []
    assert any("the partner has 75" in finding.message for finding in examination.findings)


def test_files_of_one_clip_that_end_at_different_times(files):
    path = files.path("val", "facial-attributes", "speaker", "session2", "dddd", ".npy")
    np.save(path, np.load(path)[:40])  # 33 frames of 25 a second
    where, message = found(files, "length")[0]
    assert where == "val/facial-attributes/speaker/session2/dddd.npy"
    assert message == "coeffs 62, emotion 33, audio 63 frames of 1/25 s"


def test_films_of_another_rate_or_length(files):
    def film(name: str, pictures: int, rate: int) -> None:
        path = files.path("train", "video-face-crop", "speaker", "session2", name, ".mp4")
        write_video(path, np.zeros((pictures, 32, 32, 3), np.uint8), rate)

    film("bb", 120, 30)
    film("ccc", 50, 25)
    assert found(files, "rate") == [
        (
            "train/video-face-crop/speaker/session2/ccc.mp4",
            "25.00 pictures a second, the layout has 30",
        )
    ]
    film("ccc", 50, 30)
    assert found(files, "length") == [
        (
            "train/video-face-crop/speaker/session2/ccc.mp4",
            "50 pictures, the coefficients have 60 frames",
        )
    ]


def test_a_test_split_that_is_the_validation_split(files):
    shutil.copytree(files.root / "val", files.root / "test")
    message = "every file is one of val; do not call its scores those of test"
    assert found(files, "twin") == [("test", message)]


def test_persons_without_rows_and_rows_without_clips(files):
    table = files.root / "train" / "personality" / "listener.csv"
    table.parent.mkdir()
    table.write_text(BIG_FIVE + "a,1,2,3,4,5\nbb,1,2,3,4,5\nzz,1,2,3,4,5\n", "utf-8-sig")
    assert found(files, "personality") == [
        ("train/personality", "1 rows are of clips that are not here, such as */listener/zz"),
        (
            "train/personality",
            "1 listeners have no row that can be used, such as session2/listener/ccc",
        ),
    ]


def test_what_is_wrong_with_persons_stops_nothing(files, tmp_path):
    """A row is left out alone, a table with nobody else; both are said."""
    table = files.root / "train" / "personality" / "listener.csv"
    table.parent.mkdir()
    table.write_text(BIG_FIVE + "a,1,2,3,4,9\nbb,1,2,3,4,5\n", "utf-8-sig")
    said = [message for _, message in found(files, "personality")]
    assert said[0].startswith(
        "train/personality/listener.csv: row 2 is 'a,1,2,3,4,9'; the Big Five"
    )
    with pytest.warns(Remark, match=r"listener\.csv: row 2"):
        prepare(PrepareConfig(files.root, out=tmp_path / "cache", workers=1))
    packed = open_conversations(tmp_path / "cache")
    known = [packed.traits(dyad.listener) is not None for dyad in packed.dyads("train")]
    assert known == [True, False, False]
    table.write_text("a,1\n")
    (_, message), (_, nobody) = found(files, "personality")
    assert message.endswith(": nobody's scores are used")
    assert nobody.startswith("3 listeners have no row that can be used")
    prepare(PrepareConfig(files.root, out=tmp_path / "other", workers=1))
    packed = open_conversations(tmp_path / "other")
    assert all(packed.traits(dyad.listener) is None for dyad in packed.dyads("train"))


def test_how_much_of_the_eeg_was_measured(files):
    path = files.path("val", "eeg_processed", "listener", "session2", "dddd", ".csv")
    path.write_text(",".join(CHANNELS) + "\n" + ",".join(["1"] * 7 + [""] * 7) + "\n")
    files.path("val", "eeg_processed", "speaker", "session2", "dddd", ".csv").write_text("TP9\n1\n")
    (broken, message), summary = found(files, "eeg")
    assert "no column AF7" in message
    assert broken == "val/eeg_processed"
    assert summary == ("val/eeg_processed", "1 of 2 clips have EEG, 50% measured")


def test_a_cache_is_what_its_root_is(files, tmp_path, capsys):
    prepare(PrepareConfig(files.root, out=tmp_path / "cache", workers=1))
    assert "3 train, 1 val pairs" in capsys.readouterr().out
    root, cache = open_conversations(files.root), open_conversations(tmp_path / "cache")
    assert cache.release == MARS
    ours, theirs = cache.dyads("train"), root.dyads("train")
    assert ours == theirs
    for dyad in ours:
        for clip in (dyad.speaker, dyad.listener):
            np.testing.assert_array_equal(cache.coeffs(clip), root.coeffs(clip))
            np.testing.assert_array_equal(cache.emotion(clip), root.emotion(clip))
            recorded = root.recorded_emotion(clip)
            np.testing.assert_array_equal(cache.recorded_emotion(clip), recorded)
    for n in (3, 6):
        np.testing.assert_array_equal(cache.neighbours("train", n), root.neighbours("train", n))
    assert cache.dyads("train", mirrored=True) == root.dyads("train", mirrored=True)
    index = json.loads((tmp_path / "cache" / "cache.json").read_text())
    assert index["release"] == "MARS"


def test_sides_of_unequal_length_are_counted(files):
    """Also by one frame, of which nothing else is said. Session 2 has such a pair."""
    message = "1 of 3 pairs have sides that differ by one frame of 1/30 s: mode react2026 needs"
    ((file, said),) = found(files, "sides")
    assert (file, said[: len(message)]) == ("train", message)
    files.clip("train", "listener", "session10", "a", 80)
    others = [said for file, said in found(files, "sides") if file == "train"]
    assert others[0].startswith("2 of 3 pairs have sides that differ by up to 10 frames of 1/30 s")
