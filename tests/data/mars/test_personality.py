"""The Big Five: scores of 1 to 5 as 0 to 1, by session or not, and what is wrong with a table."""

import numpy as np
import pytest

from jaxreact.data.mars.personality import personality

HEADER = "video_name,session,Extraversion,Agreeableness,Conscientiousness,Neuroticism,Openness\n"


def write(root, text, role="listener"):
    path = root / "val" / "personality" / f"{role}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_scores_and_names(tmp_path):
    write(tmp_path, HEADER + "a.mp4,session3,1,2,3,4,5\nb,4,3,3,3,3,3\n")
    table = personality(tmp_path, "val")
    found = table.of_clip("session3/listener/a")
    assert found is not None
    np.testing.assert_allclose(found, [0, 0.25, 0.5, 0.75, 1])
    assert table.of_clip("session4/listener/b") is not None
    assert table.of_clip("session3/listener/b") is None
    assert table.of_clip("session3/speaker/a") is None


def test_without_sessions_a_name_is_enough(tmp_path):
    write(tmp_path, HEADER.replace("session,", "") + "a.mp4,5,4,3,2,1\n", "speaker")
    found = personality(tmp_path, "val").of_clip("session9/speaker/a")
    assert found is not None
    np.testing.assert_allclose(found, [1, 0.75, 0.5, 0.25, 0])


def test_no_folder_no_persons(tmp_path):
    assert not personality(tmp_path, "val").scores


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER.replace("Openness", "Openess") + "a,1,1,1,1,1,1\n", "no column Openness"),
        ("", "no column video_name"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path, text, message):
    """And the other one is read."""
    path = write(tmp_path, text)
    write(tmp_path, HEADER + "a,2,1,1,1,1,1\n", "speaker")
    table = personality(tmp_path, "val")
    (doubt,) = table.doubts
    assert doubt.startswith(f"{path}: {message}")
    assert doubt.endswith(": nobody's scores are used")
    assert [*table.scores] == ["session2/speaker/a"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("b,2,1,1,1,6,1\n", "row 3 is 'b,2,1,1,1,6,1'; the Big Five are numbers of 1 to 5"),
        ("b,2,1,x,1,1,1\n", "row 3"),
        ("b,2,1,1,1,nan,1\n", "row 3"),
        ("b,2,,,,,\n", "row 3"),
        ("b,2,1,1\n", "row 3"),
        ("b,2,1,1,1,1,1\nb,2,2,1,1,1,1\n", "row 4 contradicts another of session2/listener/b"),
    ],
)
def test_a_row_that_cannot_be_used_is_somebody_unknown(tmp_path, rows, words):
    path = write(tmp_path, f"{HEADER}a,2,1,1,1,1,1\n{rows}c,2,5,1,1,1,1\nc,2,5,1,1,1,1\n")
    table = personality(tmp_path, "val")
    (doubt,) = table.doubts
    assert doubt.startswith(f"{path}: {words}")
    known = {name for name in "abc" if table.of_clip(f"session2/listener/{name}") is not None}
    assert known == {"a", "c"}


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "val" / "personality" / "listener.csv").mkdir(parents=True)
    assert "listener.csv" in personality(tmp_path, "val").doubts[0]


def test_a_row_that_could_be_of_two_sessions_is_of_nobody(tmp_path):
    path = write(tmp_path, HEADER.replace("session,", "") + "a,1,1,1,1,1\nb,1,1,1,1,1\n")
    names = ["session1/listener/a", "session2/listener/a", "session2/listener/b"]
    table = personality(tmp_path, "val", names)
    assert [name for name in names if table.of_clip(name) is not None] == names[2:]
    words = "a stands in 2 sessions, and its row names none: these persons are unknown"
    assert table.doubts == (f"{path}: {words}",)
