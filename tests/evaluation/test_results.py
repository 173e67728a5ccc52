import json
import math

import numpy as np
import pytest

from jaxreact.evaluation.results import write_metrics_json
from jaxreact.metrics import Interval

FOUND = {
    "FRC": Interval(0.5, 0.4, 0.6, level=0.95, groups=12),
    "FRSyn": Interval(math.nan, math.nan, math.nan, level=0.95, groups=0),
}
RUN = {"split": "test", "mode": "corrected", "seed": 3, "period": 32}


def test_metrics_json_is_strict_json(tmp_path):
    path = tmp_path / "metrics.json"
    baselines = {"mime": {"FRC": 0.1, "FRSyn": math.nan}}
    write_metrics_json(path, "model", FOUND, baselines, counts={"clips": 2}, **RUN)
    content = json.loads(path.read_text(), parse_constant=pytest.fail)
    assert content["name"] == "model"
    assert content["scores"] == {"FRC": 0.5, "FRSyn": None}
    assert content["intervals"] == {"FRC": [0.4, 0.6], "FRSyn": [None, None]}
    assert content["baselines"] == {"mime": {"FRC": 0.1, "FRSyn": None}}
    assert RUN.items() <= content.items()
    assert content["counts"] == {"clips": 2}
    assert content["versions"]["numpy"] == np.__version__


def test_nothing_is_left_half_written(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("before")
    with pytest.raises(TypeError):
        write_metrics_json(path, "model", FOUND, {}, counts={"clips": object()}, **RUN)  # pyright: ignore[reportArgumentType]
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
