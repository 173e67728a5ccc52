"""Which clips are drawn, and the names that the original gives their files."""

from pathlib import Path

import pytest

from jaxreact.errors import UserError
from jaxreact.evaluation.drawing.choice import SUBMISSION, absent, choose

OUT = Path("out")
CLIPS = [f"NoXI/{number:03d}_Paris/Expert_video/1" for number in range(1000)]


def test_the_first_clips_by_their_names():
    takes = choose(2, CLIPS, OUT, "val")
    assert [take.row for take in takes] == [0, 1]
    assert takes[1].file("", ".mp4") == OUT / "videos/NoXI_001_Paris_Expert_video_1.mp4"
    assert len(choose("all", CLIPS, OUT, "val")) == len(CLIPS)
    assert len(choose(5, CLIPS[:3], OUT, "val")) == 3


def test_the_submission_is_numbered_among_its_own():
    clips = [*CLIPS[:20], SUBMISSION[2], *CLIPS[20:40], SUBMISSION[0].replace("NoXI", "NOXI")]
    takes = choose("submit", clips, OUT, "test")
    assert [(take.row, take.name) for take in takes] == [(20, "b1_ind1"), (41, "b1_ind2")]
    assert takes[0].file("mesh_video", "") == OUT / "test/only_submit_video/mesh_video_b1_ind1"
    assert absent(clips) == [SUBMISSION[1], SUBMISSION[3]]


def test_fid_takes_every_fiftieth_batch_of_eight():
    takes = choose("fid", CLIPS, OUT, "val")
    assert [take.row for take in takes] == [*range(8), *range(400, 408), *range(800, 808)]
    assert [take.name for take in takes][7:10] == ["b1_ind8", "b51_ind1", "b51_ind2"]
    assert takes[0].file("", ".json") == OUT / "val/render_for_fid/b1_ind1.json"


@pytest.mark.parametrize(("choice", "words"), [("submit", "split val has none"), (0, "render 0")])
def test_nothing_to_draw_is_refused(choice, words):
    with pytest.raises(UserError, match=words):
        choose(choice, CLIPS, OUT, "val")
