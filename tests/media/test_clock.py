"""One clock for all streams of a container."""

from typing import Any

import pytest

from jaxreact.errors import Remark
from jaxreact.media.clock import LONGEST_HOLE, Clock, Jump


def _times(clock: Clock, packets: list[tuple[int, float]], duration: float = 0.04) -> list[Any]:
    return [
        pytest.approx(stamp + clock.shift(stream, stamp, duration)) for stream, stamp in packets
    ]


def test_times_begin_with_the_container():
    assert _times(Clock(1.5), [(0, 1.5), (1, 1.52), (0, 1.54)]) == [0.0, 0.02, 0.04]


def test_streams_may_lie_far_apart_in_the_file():
    packets = [(0, k / 25) for k in range(5000)] + [(1, k / 25) for k in range(5000)]
    clock = Clock(0.0)
    assert _times(clock, packets) == [stamp for _, stamp in packets]
    assert not clock.jumps


@pytest.mark.parametrize("by", [36000.0, -0.96])
def test_a_jump_is_closed_up_for_both_streams(by, tmp_path):
    """Also packets of before it that follow it are where they belong."""
    before = [(s, k / 25) for k in range(25) for s in (0, 1)]
    late = before.pop()  # stands behind the jump in the file
    start = 1.0 + by if by > 0 else -2.0
    after = [(s, start + k / 25) for k in range(25) for s in (0, 1)]
    clock = Clock(0.0)
    times = _times(clock, before[:-1])
    times += _times(clock, [after[0], late, *after[1:]])
    assert times[: len(before) - 1] == [stamp for _, stamp in before[:-1]]
    jump = clock.jumps[0]
    assert len(clock.jumps) == 1
    assert jump.time == pytest.approx(0.96 + 0.04 - 0.04, abs=0.05)
    assert times[-1] == pytest.approx(jump.time + 0.96, abs=1e-6)
    if by > 0:
        assert times[len(before)] == late[1]
    with pytest.warns(Remark, match=rf"a\.mkv: its clock jumps by {jump.by:.1f} s at"):
        clock.report(tmp_path / "a.mkv")


def test_pauses_and_small_steps_back_are_left_alone():
    clock = Clock(0.0)
    packets = [(0, 0.0), (0, LONGEST_HOLE), (0, LONGEST_HOLE - 0.5), (1, 0.0)]
    assert _times(clock, packets) == [stamp for _, stamp in packets]


def test_a_hole_in_one_stream_is_no_jump():
    clock = Clock(0.0)
    times = [(0, float(k)) for k in range(200)]
    assert _times(clock, [(1, 0.0), *times, (1, 199.0)], 1.0)[-1] == 199.0
    assert clock.end(1) == 200.0


def test_a_packet_without_a_stamp_goes_with_those_before():
    clock = Clock(0.0)
    clock.shift(0, 0.0, 1.0)
    clock.shift(0, 5000.0, 1.0)
    assert clock.jumps == [Jump(1.0, 4999.0)]
    assert clock.shift(0, None) == -4999.0
