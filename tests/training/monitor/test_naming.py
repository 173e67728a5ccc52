"""Names of metrics: the report knows those that a training writes, and no others."""

import re
from itertools import count
from unittest.mock import Mock

import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx

from jaxreact.nn.quantizers import Quantized
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.losses import predictor_loss, tokenizer_loss
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from jaxreact.training.codebook import codebook_use
from jaxreact.training.monitor import naming
from jaxreact.training.monitor.speed import Speed
from jaxreact.training.state import create_state, split_model
from jaxreact.training.step import make_step
from tests.checking import unchecked


def of_the_tokenizer() -> set[str]:
    coeffs, emotion = jnp.zeros((1, 4, 58)), jnp.zeros((1, 4, 25))
    quantized = Mock(spec=Quantized, auxiliary_loss=jnp.zeros(()))
    model = Mock(return_value=(coeffs, emotion, quantized), config=FaceTokenizerConfig())
    with unchecked():
        return set(tokenizer_loss(model, coeffs, emotion, train=True)[1][0])


def of_the_predictor() -> set[str]:
    config = PredictorConfig(block_size=4, patch_size=2, n_embd=12)
    model = Mock(return_value=jnp.zeros((1, 4, 4)), config=config)
    tokens, mask = jnp.zeros((1, 4), int), jnp.ones((1, 4), bool)
    with unchecked():
        sound = jnp.zeros((1, 8, 512))
        return set(predictor_loss(model, sound, tokens, tokens, tokens, mask)[1])


def of_the_step() -> set[str]:
    def loss(model, frozen, batch, key):
        value = model(batch).sum()
        return value, ({"loss": value, "code_share": jnp.ones(2) / 2}, {})

    optimizer = optax.sgd(0.1)
    graph, params, statistics = split_model(nnx.Linear(2, 1, rngs=nnx.Rngs(0)))
    state = create_state(params, statistics, optimizer)
    key = jax.random.key(0)
    step = make_step(graph, loss, optimizer, lambda path: True, key, lambda step: jnp.ones(()))
    return set(jax.eval_shape(step, state, {}, jnp.ones((1, 2)))[1])


def of_the_speed() -> set[str]:
    speed = Speed(25, 1e12, 1e13, clock=count(0.0).__next__)
    speed.start(1)
    return set(speed.rates(2))


@pytest.fixture(scope="module")
def written() -> set[str]:
    """Every metric that a training writes, from what writes it."""
    codes = set(codebook_use(jnp.ones(2) / 2))
    return of_the_tokenizer() | of_the_predictor() | of_the_step() | of_the_speed() | codes


def test_every_metric_that_is_written_belongs_to_one_family(written):
    assert {"loss", "face/brow", "codebook/use", "norm/updates", "frames_per_second"} < written
    for metric in written:
        fitting = [f.pattern for f in naming.FAMILIES if re.fullmatch(f.pattern, metric)]
        assert len(fitting) == 1, f"{metric}: {fitting}"


def test_every_family_has_a_metric_that_is_written(written):
    for family in naming.FAMILIES:
        assert any(re.fullmatch(family.pattern, metric) for metric in written), family.pattern


def test_what_is_better(written):
    greater = {metric for metric in written if naming.family_of(metric).greater_is_better}
    assert greater == {
        "accuracy",
        "codebook/use",
        "codebook/perplexity",
        "steps_per_second",
        "frames_per_second",
        "teraflops_per_second",
        "model_flop_utilisation_percent",
    }


@pytest.mark.parametrize(
    ("tag", "section", "called"),
    [
        ("training/loss", "Loss and accuracy", "loss"),
        ("validation/new_patch_loss", "Loss and accuracy", "new patch loss"),
        ("training/codebook/perplexity", "Codebook", "codebook perplexity"),
        ("training/codebook/use", "Codebook", "codebook use (share of the codes)"),
        ("training/face/eye_blink", "Error by group of coefficients", "eye blink"),
        ("training/norm/gradients", "Learning rate and norms", "norm of the gradients"),
        ("training/frames_per_second", "Speed", "frames per second"),
        ("training/teraflops_per_second", "Speed", "TFLOP per second"),
        ("training/lag", "Other", "lag"),
        ("reaction/frc", "Reaction", "reaction: frc"),
    ],
)
def test_metrics_are_named_and_sorted(tag, section, called):
    metric = naming.metric_of(tag)[1]
    assert naming.family_of(metric).section == section
    assert naming.called(metric) == called
