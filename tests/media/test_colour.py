"""HDR and wide gamut colours, against the figures of ITU-R BT.2408 and BT.2100."""

from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, Colorspace, ColorTrc

from jaxreact.media.colour import conversion, shown
from jaxreact.media.video_reader import read_video

HLG, PQ = ColorTrc.ARIB_STD_B67, ColorTrc.SMPTE2084
BT2020, P3 = ColorPrimaries.BT2020, ColorPrimaries.SMPTE432


def _shown(transfer: int, primaries: int, *signal: float) -> list[int]:
    rgb = np.broadcast_to(np.array(signal), (3,))
    return np.round(255 * shown(rgb, transfer, primaries)).astype(int).tolist()


@pytest.mark.parametrize(
    ("transfer", "primaries"), [(HLG, BT2020), (PQ, BT2020), (ColorTrc.BT709, P3)]
)
def test_the_table_is_near_the_formulas(transfer, primaries):
    table = conversion(transfer, primaries)
    assert table is not None
    rgb = np.random.default_rng(0).random((100, 100, 3))
    rgb[:50] = rgb[:50, :, :1]  # greys
    rgb[50:] = (0.52, 0.48, 0.46) + (rgb[50:] - 0.5) * 0.06  # skin
    deep = np.round(rgb * 65535).astype(np.uint16)
    by_table = table(av.VideoFrame.from_ndarray(deep, format="rgb48le"))
    error = np.abs(by_table - 255 * shown(rgb, transfer, primaries))
    assert error[rgb.min(-1) > 0.05].max() <= 2
    assert error.mean() < 0.6  # FFmpeg cuts what it could round


def test_ordinary_films_are_left_as_they_are():
    for transfer in (ColorTrc.BT709, ColorTrc.UNSPECIFIED, ColorTrc.SMPTE170M):
        for primaries in (ColorPrimaries.BT709, ColorPrimaries.UNSPECIFIED):
            assert conversion(transfer, primaries) is None


@pytest.mark.parametrize(("transfer", "white", "grey"), [(HLG, 0.75, 0.38), (PQ, 0.58, 0.38)])
def test_diffuse_white_and_grey_card(transfer, white, grey):
    """BT.2408, table 1: white is 75 % HLG and 58 % PQ, an 18 % grey card 38 % of both. In SDR the
    card is about 42 %."""
    assert all(235 <= x <= 250 for x in _shown(transfer, BT2020, white))
    assert all(0.38 < x / 255 < 0.46 for x in _shown(transfer, BT2020, grey))
    assert _shown(transfer, BT2020, 0.0) == [0, 0, 0]
    assert min(_shown(transfer, BT2020, 1.0)) >= 254
    ramp = [_shown(transfer, BT2020, x / 20)[0] for x in range(21)]
    assert ramp == sorted(ramp)


def test_pq_is_absolute():
    """SMPTE ST 2084: a signal of 0.508 is 100 cd/m2, half of diffuse white, below the knee."""
    assert _shown(PQ, BT2020, 0.5081)[0] / 255 == pytest.approx((100 / 203) ** (1 / 2.4), abs=0.01)


@pytest.mark.parametrize("primaries", [BT2020, P3])
def test_wide_gamut_keeps_greys_and_saturates_the_rest(primaries):
    assert _shown(ColorTrc.BT709, primaries, 0.6) == [153, 153, 153]
    red, green, blue = _shown(ColorTrc.BT709, primaries, 0.8, 0.4, 0.4)
    assert red > 0.8 * 255
    assert max(green, blue) < 0.4 * 255


def test_an_hlg_film_of_a_phone_is_not_grey(tmp_path: Path):
    film = tmp_path / "phone.mp4"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx265", rate=25, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries = HLG, BT2020
        context.colorspace = Colorspace.BT2020
        wall = np.full((48, 64, 3), round(0.75 * 65535), np.uint16)
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(wall, format="rgb48le")
            frame = frame.reformat(format="yuv420p10le", dst_colorspace=Colorspace.BT2020)
            frame.color_trc, frame.color_primaries = HLG, BT2020
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert 235 <= next(read_video(film)).rgb.mean() <= 250
