"""Learning2Listen goes through evaluation as any system does."""

import json

import numpy as np
import pytest

from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.predictions import read_predictions
from jaxreact.systems.sampling import Sampling


@pytest.mark.slow
def test_a_split_is_answered_and_scored(react_run, conversations, tmp_path):
    out, sampling = tmp_path / "out", Sampling(0.9, top_p=0.5)
    evaluate(
        Evaluation(
            conversations, out, split="val", run=react_run, samples=2, frames=72, sampling=sampling
        )
    )
    made = read_predictions(out / "predictions.npz")
    assert made.emotion.shape[1:] == (2, 72, 25)
    assert made.coeffs is not None
    assert np.isfinite(made.coeffs).all()
    assert set(json.loads((out / "metrics.json").read_text())["scores"]) >= {"FRC", "FRDvs"}
