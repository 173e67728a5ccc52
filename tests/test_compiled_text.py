"""What a compiled program reads and writes, by `benchmarks/compiled_text.py`."""

from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

TEXT = """
%body (state: (f32[4,8])) -> (f32[4,8]) {
  %state = (f32[4,8]) parameter(0)
  %rows = f32[4,8] get-tuple-element(%state), index=0
  %inside = f32[8] fusion(%rows), kind=kLoop
  %part = (f32[4,8], s8[999]{0}) custom-call(%inside, %rows), custom_call_target="__cublas$gemm"
  ROOT %out = (f32[4,8]) tuple(%rows)
}

ENTRY %main (x: bf16[16]) -> bf16[16] {
  %x = bf16[16] parameter(0)
  %twice = bf16[16] custom-call(%x, %x, %x), custom_call_target="kernel"
  ROOT %loop = (f32[4,8]) while(%twice), body=%body, backend_config={"known_trip_count":{"n":"4"}}
}
"""


def test_what_is_counted(monkeypatch):
    """An array that is given twice once, of those that a loop goes through a slice; one that a loop
    fills up is not read; what cuBLAS works in is not counted."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import compiled_text  # pyright: ignore[reportMissingImports]

    launches, size = compiled_text.traffic(TEXT)
    assert launches == 1 + 4 * 2
    assert size == 2 * 16 * 2 + 4 * (8 * 4 + 8 * 4) + 4 * (8 * 4 + 8 * 4)
