"""Ten minutes of several sessions beside one that does not behave: nothing grows, nobody waits."""

from pathlib import Path

import pytest

from tests.own_process import printed


@pytest.mark.slow
@pytest.mark.paced
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_ten_minutes_need_no_more_memory_than_one():
    found = printed("tests.live.soak")
    assert found["made"] == found["frames"]
    assert len(found["mib"]) == 10
    assert max(found["mib"][1:]) < found["mib"][0] + 10
