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

    launches, size, exchanged = compiled_text.traffic(TEXT)
    assert launches == 1 + 4 * 2
    assert size == 2 * 16 * 2 + 4 * (8 * 4 + 8 * 4) + 4 * (8 * 4 + 8 * 4)
    assert exchanged == 0


SHARED = """
%body (state: (f32[4,8])) -> (f32[4,8]) {
  %state = (f32[4,8]) parameter(0)
  %rows = f32[4,8] get-tuple-element(%state), index=0
  %turned = f32[4,8] all-to-all(%rows), dimensions={0}
  ROOT %out = (f32[4,8]) tuple(%turned)
}

ENTRY %main (x: bf16[16]) -> bf16[16] {
  %x = bf16[16] parameter(0)
  %begun = (bf16[16], bf16[128]) all-gather-start(%x), dimensions={0}
  %whole = bf16[128] all-gather-done(%begun)
  %sum = bf16[128] all-reduce(%whole), to_apply=%add
  ROOT %loop = (f32[4,8]) while(%sum), body=%body, backend_config={"known_trip_count":{"n":"4"}}
}
"""


def test_what_is_exchanged(monkeypatch):
    """In and out, as often as a loop runs; an axis as long as the loop is one of devices."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    import compiled_text  # pyright: ignore[reportMissingImports]

    found = compiled_text.traffic(SHARED)
    assert found.launches == 1 + 1 + 4
    assert found.exchanged == found.moved == (16 + 128) * 2 + 2 * 128 * 2 + 4 * 2 * 32 * 4
