import json
import math

import numpy as np
import pytest

from jaxreact.evaluation.results import score_table, write_metrics_json

SCORES = {"FRC": 0.5, "FRD": 123.456, "FRSyn": math.nan}


def test_metrics_json_is_strict_json(tmp_path):
    path = tmp_path / "metrics.json"
    write_metrics_json(path, SCORES, {"mime": SCORES}, mode="corrected", counts={"clips": 2})
    content = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert content["scores"] == {"FRC": 0.5, "FRD": 123.456, "FRSyn": None}
    assert content["baselines"] == {"mime": content["scores"]}
    assert content["mode"] == "corrected"
    assert content["counts"] == {"clips": 2}
    assert content["versions"]["numpy"] == np.__version__


def test_nothing_is_left_half_written(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("before")
    with pytest.raises(TypeError):
        write_metrics_json(path, SCORES, {}, mode="corrected", counts={"clips": object()})  # pyright: ignore[reportArgumentType]
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_table_is_aligned_and_says_where_better_is():
    table = score_table(SCORES, {"random": {"FRC": 0.01, "FRD": 300.0, "FRSyn": 12.0}})
    assert table.splitlines() == [
        "         FRC ↑   FRD ↓  FRSyn ↓",
        "-------------------------------",
        "model   0.5000  123.46        -",
        "random  0.0100  300.00    12.00",
    ]
