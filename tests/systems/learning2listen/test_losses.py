"""Losses, gradients and three steps of both stages are the original's."""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from jax.flatten_util import ravel_pytree

from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.learning2listen.losses import coder_loss, listener_loss
from jaxreact.systems.learning2listen.presets import CODER_PRESETS, LISTENER_PRESETS
from jaxreact.systems.learning2listen.schedule import learning_rate, original_optimizer
from jaxreact.systems.learning2listen.tables import table_of
from jaxreact.training.state import join, split_model
from jaxreact.variables import one_by_one
from tests.golden.learning2listen import recipe
from tests.systems.learning2listen.models import (
    FULL_CODER,
    FULL_LISTENER,
    REACT_AUDIO,
    coder,
    golden,
    listener,
    torch_tensors,
)

TIME = {"code_layout": "time"}
MODELS: dict[str, Callable[[], Any]] = {
    "train_vq_small": lambda: coder(),
    "train_vq_small_time": lambda: coder(**TIME),
    "train_vq_small_58_time": lambda: coder(in_dim=58, **TIME),
    "train_vq_full": lambda: coder(FULL_CODER),
    "train_fact_small": lambda: listener(),
    "train_fact_small_58": lambda: listener(**REACT_AUDIO, audio="raw"),
    "train_fact_full": lambda: listener(FULL_LISTENER),
}
WIDTHS = {"vq_small": 16, "vq_full": 256, "fact_small": 20, "fact_full": 200}
"""Of the schedule."""


def width(name: str) -> int:
    return next(value for key, value in WIDTHS.items() if name.startswith(f"train_{key}"))


def batch(name: str, step: int) -> tuple[jax.Array, ...]:
    """What the model is given at a step."""
    g = golden(name)
    if "_vq_" in name:
        rows, channels = (2 if "full" in name else 4), (58 if "58" in name else 56)
        motion = recipe.smooth(f"{g['data_tag']}{step}", (rows, 32, channels), k=9)
        return (jnp.asarray(motion),)
    rows, channels = (2 if "full" in name else 4), (58 if "58" in name else 56)
    audio = (rows, 128, 24) if "58" in name else (rows, 256, 128)
    tag, steps = f"train.fact{step}", 80 if "58" in name else 160
    return (
        jnp.asarray(recipe.smooth(f"{tag}.speaker", (rows, 64, channels), k=9)[:, :40]),
        jnp.asarray(recipe.smooth(f"{tag}.audio", audio, k=5)[:, :steps]),
        jnp.asarray(g["listener_past"][step]),
        jnp.asarray(g["listener_future"][step]),
        jnp.asarray(g["masks"][step]),
    )


@cache
def three_steps(name: str) -> dict[str, Any]:
    """Losses, parts and gradients of the first step, variables after the third."""
    g, model = golden(name), MODELS[name]()
    kind = CODER if "_vq_" in name else LISTENER
    table = table_of(kind, model.config)
    graph, params, statistics = split_model(model)
    rate = learning_rate(float(g["learning_rate"]), width(name), int(g["warmup"]))
    optimizer = original_optimizer(rate, float(g["weight_decay"]))

    def loss(params: Any, statistics: Any, inputs: Any) -> Any:
        model = nnx.merge(graph, unflatten(params), statistics)
        if kind is CODER:
            value, (metrics, made) = coder_loss(model, *inputs, train=True)
            codes, norms = made.quantized.codes, made.norms
            metrics["reconstruction_l1_mean"] = jnp.mean(jnp.abs(made.motion - inputs[0]))
        else:
            value, (metrics, norms) = listener_loss(model, *inputs, train=True)
            codes = jnp.zeros(())
            motion, audio, past, _, visible = inputs
            metrics["logits"] = model(motion, audio, past, visible, train=True)[0]
        return value, (metrics, codes, join(statistics, norms))

    @jax.jit
    def step(params: Any, statistics: Any, state: Any, inputs: Any) -> Any:
        (value, aside), gradients = jax.value_and_grad(loss, has_aux=True)(
            params, statistics, inputs
        )
        updates, state = optimizer.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        return (params, aside[2], state), (value, aside[0], aside[1], gradients)

    flat, unflatten = ravel_pytree(params)  # one array: the optimizer looks at each number alone
    state = (flat, statistics, optimizer.init(flat))
    found: dict[str, Any] = {"losses": [], "codes": []}
    for number in range(3):
        state, (value, metrics, codes, gradients) = step(*state, batch(name, number))
        found["losses"].append(value)
        found["codes"].append(codes)
        if number == 0:
            found["metrics"] = metrics
            found["gradients"] = torch_tensors(one_by_one(unflatten(gradients)), table)
    found["rates"] = [rate(number) for number in range(3)]
    found["variables"] = torch_tensors(one_by_one(join(unflatten(state[0]), state[1])), table)
    return found


@pytest.mark.parametrize(
    "name",
    [
        "train_vq_small",
        "train_fact_small",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in MODELS
            if name not in ("train_vq_small", "train_fact_small")
        ),
    ],
)
def test_three_steps_are_the_originals(name):
    g, found = golden(name), three_steps(name)
    np.testing.assert_allclose(found["losses"], g["losses"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["rates"], g["lrs"], rtol=1e-6)
    if "codes" in g:
        np.testing.assert_array_equal(found["codes"], g["codes"])
    parts = found["metrics"] | {"quant": found["metrics"].get("quantizer_loss")}
    compared = [key for key in g if key.startswith("part.")]
    assert compared
    for key in compared:
        ours = parts[key.removeprefix("part.")]
        tolerance = 5e-5 if key == "part.logits" else 1e-5
        np.testing.assert_allclose(ours, g[key], rtol=0, atol=tolerance, err_msg=key)
    if "x" in g:
        np.testing.assert_array_equal([batch(name, n)[0] for n in range(3)], g["x"])
    gradients, variables = found["gradients"], found["variables"]
    without = set(map(str, g["nograd_names"]))
    assert {*map(str, g["grad_names"]), *without} == set(gradients)
    for key in without:
        assert not gradients[key].any(), key
    ours = [np.linalg.norm(gradients[str(key)].astype(np.float64)) for key in g["grad_names"]]
    np.testing.assert_allclose(ours, g["grad_norms"], rtol=2e-4, atol=1e-6)
    ours = [np.linalg.norm(variables[str(key)].astype(np.float64)) for key in g["param_names"]]
    np.testing.assert_allclose(ours, g["param_norms_after"], rtol=1e-5, atol=1e-6)
    for key in g:
        kind, _, tensor = key.partition(".")
        if kind == "g":
            np.testing.assert_allclose(gradients[tensor], g[key], rtol=0, atol=2e-5, err_msg=tensor)
        if kind in ("p", "b"):
            tolerance = 5e-6 if kind == "p" else 2e-6
            np.testing.assert_allclose(
                variables[tensor], g[key], rtol=0, atol=tolerance, err_msg=tensor
            )


@pytest.mark.parametrize(
    ("presets", "name"), [(CODER_PRESETS, "train_vq_full"), (LISTENER_PRESETS, "train_fact_full")]
)
def test_the_presets_optimizers_are_the_originals(presets, name):
    g, ours = golden(name), presets["original"].keywords["loop"].optimizer
    np.testing.assert_allclose((ours.beta1, ours.beta2), g["betas"])
    np.testing.assert_allclose((ours.epsilon, ours.weight_decay), (g["eps"], g["weight_decay"]))
    assert ours.decay == "all"


def test_the_schedule():
    g = golden("schedule")
    for name, given in (
        ("vq", (2.0, 256, 100_000)),
        ("predictor", (0.01, 200, 100_000)),
        ("toy", (2.0, 16, 50)),
    ):
        rate = learning_rate(*given)
        ours = [rate(step - 1) for step in g["steps"]]
        np.testing.assert_allclose(ours, g[f"{name}.lr"], rtol=1e-5)


def test_few_channels_count_as_much_as_many():
    """A rotation's channel weighs 50 / 3 times an expression's."""
    motion = jnp.asarray(golden("vq_small")["x"])
    loss, (metrics, made) = nnx.jit(lambda model, x: coder_loss(model, x, train=False))(
        coder(), motion
    )
    np.testing.assert_allclose(loss, golden("vq_small")["loss_eval"], rtol=0, atol=1e-5)
    error = np.abs(np.asarray(made.motion) - motion)
    parts = [error[..., :50].mean(), error[..., 50:53].mean(), error[..., 53:].mean()]
    np.testing.assert_allclose(metrics["face_loss"], sum(parts), rtol=1e-6)
    assert made.norms == {}


def test_the_code_that_is_drawn_has_figures_of_its_own():
    """Of the mean over all four codes and of the first alone."""
    found = three_steps("train_fact_small")["metrics"]
    logits = golden("train_fact_small")["part.logits"][:, :4]
    targets = golden("train_fact_small")["listener_future"][0]
    chances = np.asarray(jax.nn.log_softmax(logits))
    picked = np.take_along_axis(chances, targets[..., None], -1)[..., 0]
    right = logits.argmax(-1) == targets
    for ours, theirs in (
        ("loss", -picked.mean()),
        ("first_loss", -picked[:, 0].mean()),
        ("accuracy", right.mean()),
        ("first_accuracy", right[:, 0].mean()),
    ):
        np.testing.assert_allclose(found[ours], theirs, rtol=0, atol=1e-5, err_msg=ours)
