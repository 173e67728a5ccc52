"""Films whose frames hold two moments, and films whose pixels change their shape on the way."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from jaxreact.media.video_reader import read_video

WIDTH, HEIGHT, STEP = 96, 64, 6  # a bar moves by STEP pixels from one field to the next


def moment(number: int) -> np.ndarray:
    """The picture of field `number`: a white bar on black."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, STEP * number % 64 : STEP * number % 64 + 16] = 255
    return picture


def write(
    path: Path, pictures: list[np.ndarray], shape: Fraction = Fraction(1), x264: str = ""
) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4", "x264-params": x264})
        stream.height, stream.width, _ = pictures[0].shape
        stream.pix_fmt = "yuv420p"
        stream.codec_context.sample_aspect_ratio = shape
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def interlaced(count: int) -> list[np.ndarray]:
    """Frames of two fields, the odd lines first."""
    frames = []
    for number in range(count):
        frame = moment(2 * number)
        frame[::2] = moment(2 * number + 1)[::2]
        frames.append(frame)
    return frames


def combs(rgb: np.ndarray) -> float:
    """How much lines differ from those next to them but one."""
    lines = rgb.mean(axis=2)
    return float(abs(lines[1:-1] - (lines[2:] + lines[:-2]) / 2).mean())


FIELDS = "interlaced=1"  # by PyAV always with the odd lines first


def test_a_frame_of_two_fields_is_one_moment(tmp_path):
    write(tmp_path / "fields.mkv", interlaced(10), x264=FIELDS)
    pictures = list(read_video(tmp_path / "fields.mkv"))
    assert [picture.time for picture in pictures] == pytest.approx(np.arange(10) / 25, abs=1e-3)
    assert [picture.duration for picture in pictures] == pytest.approx([1 / 25] * 10, abs=1e-3)
    assert combs(interlaced(10)[5]) > 20
    for number, picture in enumerate(pictures):
        assert combs(picture.rgb) < 4
        assert abs(picture.rgb.astype(float) - moment(2 * number)).mean() < 12


def test_what_does_not_move_keeps_all_its_lines(tmp_path):
    still = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    still[::4] = 200  # thinner than a line of one field
    write(tmp_path / "still.mkv", [still] * 8, x264=FIELDS)
    for picture in list(read_video(tmp_path / "still.mkv"))[1:-1]:
        assert abs(picture.rgb.astype(float) - still).mean() < 12


def test_other_films_are_not_touched(tmp_path, monkeypatch):
    monkeypatch.delattr("jaxreact.media.interlacing.Graph")
    write(tmp_path / "whole.mkv", interlaced(4))
    assert all(combs(picture.rgb) > 15 for picture in read_video(tmp_path / "whole.mkv"))


def test_pixels_may_change_their_shape(tmp_path):
    """As broadcasts do between programmes; the container's own word, once for all, goes before."""
    parts = []
    for name, shape in (("narrow.ts", Fraction(1)), ("wide.ts", Fraction(2))):
        write(tmp_path / name, [moment(0)] * 30, shape)
        parts.append((tmp_path / name).read_bytes())
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    widths = [picture.rgb.shape[1] for picture in read_video(tmp_path / "both.ts")]
    assert len(widths) == 60
    assert set(widths[:27]) == {WIDTH}
    assert set(widths[30:]) == {2 * WIDTH}
    assert sum(before != after for before, after in pairwise(widths)) == 1
