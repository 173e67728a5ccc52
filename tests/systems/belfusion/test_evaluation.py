"""BeLFusion goes through evaluation as any system does."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from jaxreact.errors import Remark, UserError
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.predictions import read_predictions


@pytest.mark.slow
def test_a_split_is_answered_and_scored(belfusion_run, conversations, tmp_path):
    run, out = belfusion_run("online"), tmp_path / "out"
    wanted = Evaluation(conversations, out, split="val", run=run, samples=2, frames=96)
    table = evaluate(wanted)
    made = read_predictions(out / "predictions.npz")
    assert made.emotion.shape[1:] == (2, 96, 25)
    assert made.coeffs is not None
    assert np.isfinite(made.coeffs).all()
    content = json.loads((out / "metrics.json").read_text())
    assert set(content["scores"]) >= {"FRC", "FRDvs"}
    said = {"system": "belfusion", "mode": "converted", "online": True, "window": 5}
    assert content["made_by"] == {**said, "binarize": False, "precision": "tensorfloat32"}
    assert "system belfusion, mode converted, online True" in table
    with pytest.warns(Remark, match="action units"):
        evaluate(replace(wanted, binarize=True))  # not taken for what is there
    rounded = read_predictions(out / "predictions.npz")
    np.testing.assert_array_equal(rounded.emotion[..., :15], np.round(made.emotion[..., :15]))
    np.testing.assert_array_equal(rounded.emotion[..., 15:], made.emotion[..., 15:])
    assert json.loads((out / "metrics.json").read_text())["made_by"]["binarize"]


def test_only_a_system_that_rounds_is_asked_to(fiber_run, conversations, tmp_path):
    wanted = Evaluation(conversations, tmp_path / "out", run=fiber_run, binarize=True)
    with pytest.raises(UserError, match="fiber has no --binarize"):
        evaluate(wanted)
    with pytest.raises(UserError, match="--binarize is for a --run"):
        evaluate(replace(wanted, run=None, baseline="mime"))


@pytest.mark.filterwarnings("ignore:.*does not know the mean face")
def test_a_run_without_a_mean_face_is_refused(belfusion_run, conversations, tmp_path):
    shutil.copytree(belfusion_run("online"), tmp_path / "run")
    config = tmp_path / "run" / "vae" / "config.json"
    content = {k: x for k, x in json.loads(config.read_text()).items() if k != "mean_face"}
    config.write_text(json.dumps(content))
    with pytest.raises(UserError, match="convert its weights again with --mean-face"):
        evaluate(
            Evaluation(
                conversations, tmp_path / "out", split="val", run=tmp_path / "run", samples=1
            )
        )
