"""What the predictor's training does with listeners' traits, and only where it is asked to."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact.data.modality import Modality
from jaxreact.errors import UserError
from jaxreact.systems.fiber import train_predictor as module
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.train_predictor import Given, PredictorTraining
from jaxreact.training import run_start
from jaxreact.training.batches import Data
from jaxreact.training.run_start import record_of

pytestmark = pytest.mark.wrong_arguments
BATCH, FRAMES = 400, 4
MODEL = PredictorConfig(block_size=4, patch_size=4, traits=True)
CONFIG = PredictorTraining(
    data=Path("data"), tokenizer=Path("tokenizer"), out=Path("out"), traits_mask_probability=0.25
)
FROZEN: Any = SimpleNamespace(
    tokenizer=SimpleNamespace(config=SimpleNamespace(block_size=4)),
    mean_face=np.zeros(58),
    audio_encoder=None,
)
TRAITS = jnp.asarray(np.random.default_rng(0).uniform(size=(BATCH, 5)), jnp.float32)
KEY = jax.random.key(1)


def given(model: PredictorConfig) -> Any:
    nothing: Any = None
    return Given(nothing, nothing, model, CONFIG)


@pytest.mark.parametrize("traits", [True, False])
def test_traits_are_read_where_the_model_takes_them(monkeypatch, traits):
    """From the files, and beside what is computed before the training."""
    asked: list[Any] = []
    empty: Any = SimpleNamespace(close=lambda: None)
    data = Data(lambda: empty, 1, tuple)

    def read(*_: Any, **options: Any) -> Data:
        asked.extend(options[name] for name in ("modalities", "validated") if name in options)
        return data

    monkeypatch.setattr(module, "read_data", read)
    for name in ("features_ahead", "codes_ahead"):
        monkeypatch.setattr(module, name, lambda *_, **options: lambda clip, start, frames: None)
    for choice in ({"codes": "every-step"}, {"codes": "once", "audio": "clip"}):
        module._data(replace(CONFIG, **choice), replace(MODEL, traits=traits), FROZEN)
    assert len(asked) == 4
    for modalities in asked:
        assert len(modalities) == (4 if traits else 3)
        assert (Modality("listener", "traits") in modalities) == traits


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_is_0_to_1(share):
    with pytest.raises(UserError, match=f"--traits-mask-probability {share} is not 0 to 1"):
        module._data(replace(CONFIG, traits_mask_probability=share), MODEL, FROZEN)


def lost(monkeypatch, model: PredictorConfig, train: bool) -> np.ndarray | None:
    """The traits that the loss is given."""
    found: list[Any] = []
    tokens = jnp.zeros((BATCH, FRAMES), int)
    monkeypatch.setattr(Given, "inputs", lambda *_: (None, tokens, tokens, tokens))
    monkeypatch.setattr(module, "predictor_loss", lambda *args: (found.append(args[-1]), {}))
    batch = {"listener_traits": TRAITS} if model.traits else {}
    module._loss(given(model), None, {}, batch, KEY, train, 0)  # pyright: ignore[reportArgumentType]
    return None if found[0] is None else np.asarray(found[0])


def test_some_are_hidden_in_training_and_none_in_validation(monkeypatch):
    shown = lost(monkeypatch, MODEL, train=False)
    np.testing.assert_array_equal(shown, TRAITS)
    trained = lost(monkeypatch, MODEL, train=True)
    assert trained is not None
    hidden = np.isnan(trained).all(axis=1)
    assert 0.15 < hidden.mean() < 0.35  # more than 4 deviations of 2.2 %
    np.testing.assert_array_equal(trained[~hidden], np.asarray(TRAITS)[~hidden])
    assert lost(monkeypatch, replace(MODEL, traits=False), train=True) is None


def test_a_run_of_before_goes_on():
    """Its record says nothing of what came later, which is taken for what was usual."""
    usual = replace(CONFIG, traits_mask_probability=0.2)
    before, now, other = (
        json.loads(json.dumps(record_of(each, each.loop))) for each in (usual, usual, CONFIG)
    )
    del before["stage"]["traits_mask_probability"], before["stage"]["audio"]
    run_start._check_same(before, now)
    with pytest.raises(UserError, match=r"traits_mask_probability was 0\.2 and is now 0\.25"):
        run_start._check_same(before, other)
