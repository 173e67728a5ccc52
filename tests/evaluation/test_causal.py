"""`evaluate.py --causal`: scores of what streams would have answered."""

import json

import jax
import numpy as np

from jaxreact.data.conversations import open_conversations
from jaxreact.evaluation import evaluated_system
from jaxreact.evaluation.command import evaluate
from jaxreact.evaluation.config import Evaluation
from jaxreact.predictions import read_predictions
from jaxreact.systems.online import Online
from jaxreact.systems.system import Speaker
from tests.streaming.systems import fiber


def test_the_reactions_are_those_of_a_stream(conversations, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluated_system, "load", lambda *_, **__: fiber())
    config = Evaluation(
        conversations,
        tmp_path / "out",
        split="train",
        run=tmp_path,
        samples=2,
        frames=40,
        online=Online(True, 4),
    )
    assert "causal True, step 4" in evaluate(config)
    made_by = json.loads((config.out / "metrics.json").read_text())["made_by"]
    assert (made_by["causal"], made_by["step"]) == (True, 4)
    data = open_conversations(conversations)
    clip = data.dyads("train")[0].speaker
    who = Speaker(data.coeffs(clip)[None, :40], data.waveform(clip, 0, 40)[None])
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(0), 0), 0)
    expected = fiber().in_steps(4).react(who, 2, key=key[None], causal=True)
    made = read_predictions(config.out / "predictions.npz")
    np.testing.assert_allclose(made.emotion[0], expected.emotion[0], rtol=0, atol=1e-5)
