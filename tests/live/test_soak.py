"""Ten minutes of several sessions beside one that does not behave: nothing grows, nobody waits."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.paced
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_ten_minutes_need_no_more_memory_than_one():
    command = [sys.executable, "-m", "tests.live.soak"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["made"] == found["frames"]
    assert len(found["mib"]) == 10
    assert max(found["mib"][1:]) < found["mib"][0] + 10
