"""What a GPU's compiler gets does not grow with the number of layers, and is small."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("name", "most"),
    [
        pytest.param("tokenizer step", 4000, marks=pytest.mark.slow),
        pytest.param("predictor step", 6000, marks=pytest.mark.slow),
        ("predictor pass", 700),
        ("generation", 5500),
    ],
)
def test_programs_at_released_size(monkeypatch, name, most):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import program_size  # pyright: ignore[reportMissingImports]

    count = program_size.PROGRAMS[name]
    four, eight = count(4, 2), count(8, 2)
    assert four <= eight <= 1.1 * four
    assert eight < most
