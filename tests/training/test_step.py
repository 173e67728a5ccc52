"""Gradients, losses and parameters of three AdamW steps, against the original's."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from jaxreact.systems.fiber.losses import predictor_loss, tokenizer_loss
from jaxreact.systems.fiber.train_predictor import UNTRAINED
from jaxreact.systems.fiber.train_tokenizer import EMOTION_DECODER
from jaxreact.training.optimizer import OptimizerConfig, make_optimizer
from jaxreact.training.state import create_state, join, split_model
from jaxreact.training.step import make_step
from jaxreact.variables import one_by_one
from tests.golden import recipe
from tests.weights import golden, predictor, tokenizer, torch_tensors

BLOCK, END_TO_END = 1e-5, 1e-4
STEPS, RATE = 3, 1e-3


class Case(NamedTuple):
    """A model, how it is optimized, and its jitted step."""

    model: Any
    optimizer: optax.GradientTransformation
    step: Callable[..., Any]


def case(
    model: nnx.Module,
    loss: Callable[..., Any],
    trainable: Callable[[tuple[str, ...]], bool] = lambda path: True,
) -> Case:
    """With the original's constant rate after the warm-up."""
    optimizer = make_optimizer(OptimizerConfig(), RATE)
    graph = split_model(model)[0]
    return Case(model, optimizer, make_step(graph, loss, optimizer, trainable, jax.random.key(0)))


def compare(arrays: dict[str, Any], case: Case, batch: Any) -> tuple[Any, Any]:
    """Checks three steps against the original's; gives the variables before, the state after."""
    assert (arrays["lr"] == RATE).all()
    model, optimizer, step = case
    _, params, statistics = split_model(model)
    before = one_by_one(jax.tree.map(np.asarray, join(params, statistics)))
    # The step consumes its state: the model's own arrays must outlive it.
    params, statistics = jax.tree.map(jnp.array, (params, statistics))
    state, losses = create_state(params, statistics, optimizer), []
    for number in range(STEPS):
        state, metrics = step(state, None, batch)
        losses.append(float(metrics["loss"]))
        if number == 0:  # Adam's first moment is still (1 - beta1) times the gradient
            moments = optax.tree_utils.tree_get(state.opt_state, "mu")
            gradients = jax.tree.map(lambda moment: np.asarray(moment) / (1 - 0.9), moments)
            check_gradients(arrays, torch_tensors(one_by_one(gradients), model.config))
    assert int(state.step) == STEPS
    np.testing.assert_allclose(losses, arrays["losses"], rtol=0, atol=END_TO_END)
    check_parameters(arrays, torch_tensors(one_by_one(state.params), model.config))
    return before, state


def check_gradients(arrays: dict[str, Any], gradients: dict[str, np.ndarray]) -> None:
    for name, norm in zip(arrays["grad_names"], arrays["grad_norms"], strict=True):
        ours = np.linalg.norm(gradients[str(name)])
        assert ours == pytest.approx(norm, rel=1e-4, abs=1e-6), name
    for name in (key for key in arrays if key.startswith("g.")):
        np.testing.assert_allclose(
            gradients[name[2:]], arrays[name], rtol=0, atol=BLOCK, err_msg=name
        )


def check_parameters(arrays: dict[str, Any], params: dict[str, np.ndarray]) -> None:
    assert {str(name) for name in arrays["param_names"]} == set(params)
    for name, norm in zip(arrays["param_names"], arrays["param_norms_after"], strict=True):
        assert np.linalg.norm(params[str(name)]) == pytest.approx(norm, rel=1e-4), name
    for name in (key for key in arrays if key.startswith("p.")):
        np.testing.assert_allclose(
            params[name[2:]], arrays[name], rtol=0, atol=END_TO_END, err_msg=name
        )


def tokenizer_case(name: str, size: str, emotion_only: bool = False) -> tuple[Any, Any, Any]:
    arrays, model = golden(f"train_tok_{name}"), tokenizer(size)
    block = model.config.block_size
    batch = tuple(
        jnp.asarray(arrays[key].reshape(-1, block, arrays[key].shape[-1]))
        for key in ("trg_3dmm", "trg_emotion")
    )

    def loss(model, frozen, batch, key):
        value, (metrics, quantized) = tokenizer_loss(
            model, *batch, train=True, emotion_only=emotion_only
        )
        changed = {"quantize": quantized.statistics} if quantized.statistics else {}
        return value, ({**metrics, "loss": value}, changed)

    def trainable(path):
        return not emotion_only or path[0] in EMOTION_DECODER

    return arrays, *compare(arrays, case(model, loss, trainable), batch)


@pytest.mark.parametrize("kind", ["fsq", pytest.param("lfq", marks=pytest.mark.slow)])
def test_tokenizer(kind):
    tokenizer_case(f"small_{kind}_phase1", f"small_{kind}")


def test_vq_tokenizer_and_its_moving_codebook():
    arrays, _, state = tokenizer_case("small_vq_phase1", "small_vq")
    for name, value in state.statistics["quantize"].items():
        np.testing.assert_allclose(value, arrays[f"vq.{name}"][0], rtol=0, atol=BLOCK)


def test_second_phase_leaves_all_but_the_emotion_decoder_bit_for_bit():
    arrays, before, state = tokenizer_case("small_fsq_phase2", "small_fsq", emotion_only=True)
    assert len(arrays["nograd_names"]) == 37
    for name, part in one_by_one(state.params).items():
        same = [
            np.array_equal(a, b)
            for a, b in zip(jax.tree.leaves(part), jax.tree.leaves(before[name]), strict=True)
        ]
        assert all(same) if name not in EMOTION_DECODER else not any(same)


@pytest.mark.slow
def test_tokenizer_at_released_size():
    tokenizer_case("full_fsq_phase1", "full_fsq")


@cache
def predictor_in_training(size: str) -> Case:
    def loss(model, frozen, batch, key):
        value, metrics = predictor_loss(model, *batch)
        return value, (metrics, {})

    model = predictor(size, mixed_masks=True, dropout=0.0)
    return case(model, loss, lambda path: path[:2] not in UNTRAINED)


def predictor_case(name: str, size: str) -> tuple[Any, Any, Any]:
    arrays, trained = golden(f"train_pred_{name}"), predictor_in_training(size)
    frames = trained.model.config.block_size
    if "sound_features" in arrays:
        sound = arrays["sound_features"]
    else:
        sound = recipe.smooth("tp.feat", (2, 2 * frames - 1, 512), k=3)
    sound = np.pad(sound, ((0, 0), (1, 0), (0, 0)))
    np.testing.assert_array_equal(sound[..., :8], arrays["in_sound_first8"])
    mask = arrays.get("in_mask_sp_face", np.ones((len(sound), frames), bool))
    tokens = (arrays[f"in_{key}"] for key in ("sp_face", "lt_face", "targets"))
    batch = tuple(map(jnp.asarray, (sound, *tokens, mask)))
    return arrays, *compare(arrays, trained, batch)


@pytest.mark.parametrize("masked", [pytest.param("unmasked", marks=pytest.mark.slow), "masked"])
def test_predictor(masked):
    arrays, before, state = predictor_case(f"small_{masked}", "small")
    assert len(arrays["nograd_names"]) == 3
    for first, second in UNTRAINED:
        untouched, same = state.params[first][second], before[first][second]
        jax.tree.map(np.testing.assert_array_equal, untouched, same)


@pytest.mark.slow
def test_predictor_at_released_size():
    predictor_case("full_masked", "full")
