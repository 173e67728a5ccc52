"""BeLFusion goes through evaluation as any system does."""

import json
import shutil

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.evaluation.command import Evaluation, evaluate
from jaxreact.predictions import read_predictions


def test_a_split_is_answered_and_scored(belfusion_run, conversations, tmp_path):
    run, out = belfusion_run("online"), tmp_path / "out"
    evaluate(Evaluation(conversations, out, split="val", run=run, samples=2, frames=96))
    made = read_predictions(out / "predictions.npz")
    assert made.emotion.shape[1:] == (2, 96, 25)
    assert made.coeffs is not None
    assert np.isfinite(made.coeffs).all()
    assert set(json.loads((out / "metrics.json").read_text())["scores"]) >= {"FRC", "FRDvs"}


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
