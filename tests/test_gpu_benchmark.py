"""The script for a rented GPU: each way stands alone, and what is known is always on disk."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FAKE = """
import json, os, sys, time
name = sys.argv[3]
if name == "late":
    time.sleep(60)
if name == "broken":
    raise ValueError("no such thing here")
print("noise")
print(json.dumps({"device": "fake", "cache": os.environ["JAX_COMPILATION_CACHE_DIR"][-9:]}))
"""


@pytest.fixture
def gpu(monkeypatch, tmp_path) -> Any:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import gpu  # pyright: ignore[reportMissingImports]

    (tmp_path / "ways.py").write_text(FAKE)
    monkeypatch.setattr(gpu, "WAYS", tmp_path / "ways.py")
    table = (
        gpu.Way("late", 1, ("late",)),
        gpu.Way("broken", 30, ("broken",)),
        gpu.Way("beside", 30, ("fine",), needs_original=True),
        gpu.Way("fine, first", 30, ("fine",)),
    )
    monkeypatch.setattr(gpu, "TABLE", table)
    return gpu


def run(gpu: Any, monkeypatch: Any, *options: str) -> dict[str, Any]:
    out = Path(options[0])
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--out", *options])
    gpu.main()
    return json.loads(out.read_text())["ways"]


def test_a_way_that_hangs_or_breaks_does_not_stop_the_others(gpu, monkeypatch, tmp_path):
    ways = run(gpu, monkeypatch, str(tmp_path / "out.json"))
    assert ways["late"] == {"stopped_after": 1}
    assert "ValueError: no such thing here" in ways["broken"]["failed"]
    assert ways["beside"] == {"skipped": "no --original"}
    assert ways["fine, first"].pop("seconds") >= 0
    assert ways["fine, first"] == {"device": "fake", "cache": "rams/fine"}


def test_what_has_a_result_is_not_measured_again(gpu, monkeypatch, tmp_path):
    out = tmp_path / "out.json"
    held = {"fine, first": {"device": "held"}, "broken": {"failed": "before"}}
    out.write_text(json.dumps({"ways": held}))
    ways = run(gpu, monkeypatch, str(out), "--only", "fine, first", "broken")
    assert ways["fine, first"] == {"device": "held"}
    assert "no such thing" in ways["broken"]["failed"]


def test_no_way_begins_when_the_time_is_over(gpu, monkeypatch, tmp_path):
    ways = run(gpu, monkeypatch, str(tmp_path / "out.json"), "--minutes", "0.01")
    assert ways["fine, first"] == {"skipped": "no time left"}


def test_a_way_that_does_not_exist(gpu, monkeypatch, tmp_path):
    with pytest.raises(gpu.UserError, match="--only nothing: no such way"):
        run(gpu, monkeypatch, str(tmp_path / "out.json"), "--only", "nothing")


@pytest.mark.slow
def test_rehearsal_on_a_processor(tmp_path):
    """All of it with small models; on a GPU that is rented by the minute nothing may be missing."""
    out = tmp_path / "gpu.json"
    options = ["--sizes", "small", "--minutes", "40", "--patience", "5", "--train", "3"]
    script = ROOT / "benchmarks" / "gpu.py"
    subprocess.run([sys.executable, script, "--out", out, *options], check=True, cwd=tmp_path)
    ways = json.loads(out.read_text())["ways"]
    skipped = {name for name, found in ways.items() if "skipped" in found}
    originals = {name for name in ways if name.startswith("original")}
    assert len(originals) == 3
    assert skipped == {*originals, "PIRender"}
    assert not [name for name, found in ways.items() if {"failed", "stopped_after"} & set(found)]
    assert ways["golden parity"]["tokenizer codes that differ"] == 0
    assert ways["golden parity"]["generated codes that differ"] == 0
    assert ways["golden parity"]["predictor logits"] < 1e-4
    assert max(ways["attention kernel"]["float32"]["largest_differences"]) < 1e-5
    first, second = (ways[f"predictor step 16 tensorfloat32, {n}"] for n in ("first", "second"))
    assert second["seconds_to_first_step"] < first["seconds_to_first_step"]
    assert len(ways["training"]["table"]) == 7
