"""The engine is strict both ways, and its transforms move values without touching them."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxreact import runs
from jaxreact.audio_features.conversion import TABLE as AUDIO_ENCODER_TABLE
from jaxreact.errors import NotFiniteError, UserError
from jaxreact.systems.fiber.conversion import PREDICTOR_TABLE, tokenizer_table
from jaxreact.torch_files.engine import (
    CONV,
    LINEAR,
    ONLY,
    Ignored,
    Rule,
    Table,
    fill,
    nest,
    paths,
    to_torch,
)
from tests.kinds import KINDS

CHECKPOINTS = Path(__file__).parents[1] / "golden" / "checkpoints"
TABLE = Table(
    rules=(
        Rule("list.{i}.conv.weight", "list.{i}.conv.kernel", CONV),
        Rule("book.embed", "embed", ONLY),
        Rule("{at...}.ln_{which}.weight", "{at...}.ln_{which}.scale"),
        Rule("{at...}.weight", "{at...}.kernel", LINEAR),
        Rule("{at...}.alpha", "{at...}.alpha"),
    ),
    constants={"book.mask": np.array([2, 1])},
    ignored=(Ignored("encoder.{rest...}", "not ours"),),
    model="a toy",
)
SHAPES: dict[tuple[str | int, ...], tuple[int, ...]] = {
    ("list", 10, "conv", "kernel"): (3, 2, 4),
    ("list", 9, "conv", "kernel"): (3, 2, 4),
    ("embed",): (5, 2),
    ("a", "b", "ln_1", "scale"): (7,),
    ("a", "b", "kernel"): (2, 3),
    ("a", "alpha"): (),
}
ABSTRACT = {path: jax.ShapeDtypeStruct(shape, np.float32) for path, shape in SHAPES.items()}


def tensors() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    shapes = {
        "list.10.conv.weight": (4, 2, 3),
        "list.9.conv.weight": (4, 2, 3),
        "book.embed": (1, 5, 2),
        "a.b.ln_1.weight": (7,),
        "a.b.weight": (3, 2),
        "a.alpha": (),
    }
    made = {k: random.standard_normal(shape).astype(np.float32) for k, shape in shapes.items()}
    return {**made, "book.mask": np.array([2, 1])}


def test_there_and_back_is_bit_for_bit():
    given = tensors()
    given["a.b.weight"][0] = -0.0, 1e-45
    filled = fill(ABSTRACT, {**given, "encoder.x": np.zeros(1)}, TABLE, "file")
    assert {path: x.shape for path, x in filled.items()} == SHAPES
    kernel = filled["list", 10, "conv", "kernel"]
    assert kernel[2, 1, 3] == given["list.10.conv.weight"][3, 1, 2]
    back = to_torch(filled, TABLE)
    assert set(back) == set(given)
    for name, tensor in given.items():
        assert (back[name].shape, back[name].dtype) == (tensor.shape, tensor.dtype)
        assert back[name].tobytes() == tensor.tobytes()


def refusal(given: dict[str, np.ndarray]) -> str:
    with pytest.raises(UserError) as caught:
        fill(ABSTRACT, given, TABLE, "some.ckpt", prefix="model.")
    message = str(caught.value)
    assert "\n" not in message
    assert message.count("model.") <= 3
    return message


def test_the_cause_stands_in_one_line_with_three_names():
    given = tensors()
    given["a.b.weight"] = np.zeros((4, 9), np.float32)
    given["a.alpha"] = np.zeros((), np.int64)
    given["list.11.conv.weight"] = given.pop("list.9.conv.weight")
    given["stranger"] = np.zeros(3)
    given["book.mask"] = np.array([1, 2])
    assert refusal(given) == (
        "some.ckpt: lacks 1 tensor of a toy, model.list.9.conv.weight;"
        " has 2 tensors that a toy does not know, first model.list.11.conv.weight (4, 2, 3);"
        " has 1 tensor of another shape, model.a.b.weight: shape (4, 9) in the file, (3, 2)"
        " expected; has 1 tensor of another type; has 1 tensor that contradicts the configuration:"
        " its sizes are not those of the configuration, or it is another model"
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"a.b.weight": np.zeros((4, 9), np.float32)},
            "has 1 tensor of another shape, model.a.b.weight: shape (4, 9) in the file, (3, 2)"
            " expected: its sizes are not those of the configuration, or it is another model",
        ),
        (
            {"a.alpha": np.zeros((), np.int64)},
            "has 1 tensor of another type, model.a.alpha: int64 in the file, float32 expected:"
            " save it as float32",
        ),
        (
            {"book.mask": np.array([1, 2])},
            "has 1 tensor that contradicts the configuration, model.book.mask: [1, 2] in the file,"
            " [2, 1] expected: its sizes are not those of the configuration, or it is another"
            " model",
        ),
        (
            {"a\nb": np.zeros(1), "c": np.zeros(1), "d": np.zeros(1), "e": np.zeros(1)},
            "has 4 tensors that a toy does not know, first model.a\\nb (1,), model.c (1,), model.d"
            " (1,): it is more than this model, or of another configuration",
        ),
    ],
)
def test_one_cause_by_itself(change, expected):
    assert refusal(tensors() | change) == f"some.ckpt: {expected}"


def test_a_tensor_that_is_missing():
    given = tensors()
    del given["book.mask"]
    assert refusal(given) == (
        "some.ckpt: lacks 1 tensor of a toy, model.book.mask: it is not whole, or of another"
        " configuration"
    )


def test_another_model_is_called_so():
    strangers = {f"bert.{i:03}.weight": np.zeros(2, np.float32) for i in range(300)}
    assert refusal(strangers) == (
        "some.ckpt: lacks 7 tensors of a toy, first model.a.alpha; has 300 tensors that a toy does"
        " not know, first model.bert.000.weight (2,): this is another model"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_refused_where_they_are_needed(value):
    given = tensors()
    given["a.b.weight"][1] = value
    given["encoder.x"] = np.full(3, value, np.float32)  # ignored, so whatever it holds
    with pytest.raises(NotFiniteError) as caught:
        fill(ABSTRACT, given, TABLE, "some.ckpt", prefix="model.")
    assert str(caught.value) == (
        "some.ckpt: has 1 tensor with values that float32 cannot hold, model.a.b.weight: 2 of 6"
        " are not finite: its training has failed, or the file is damaged"
    )
    fill(ABSTRACT, tensors() | {"encoder.x": given["encoder.x"]}, TABLE, "file")


def test_numbers_beyond_float32_are_refused():
    given = tensors()
    given["a.b.weight"] = given["a.b.weight"].astype(np.float64)
    given["a.b.weight"][0, 0] = 1e39
    assert "model.a.b.weight: 1 of 6 are too large" in refusal(given)


def test_a_template_is_anchored():
    for name in ("x.book.embed", "book.embed.x", "bookXembed"):
        given = tensors()
        given[name] = given.pop("book.embed")
        with pytest.raises(UserError, match=r"lacks 1 tensor of a toy, book\.embed"):
            fill(ABSTRACT, given, TABLE, "file")


def test_a_variable_without_a_rule_is_a_mistake_of_ours():
    with pytest.raises(KeyError, match="no rule names"):
        to_torch({("no", "rule"): np.zeros(1)}, TABLE)


def test_nesting_is_the_inverse_of_paths():
    nested = {"a": {0: {"b": 1}, 10: {"b": 2}}, "c": 3}
    assert paths(nested) == {("a", 0, "b"): 1, ("a", 10, "b"): 2, ("c",): 3}
    assert nest(paths(nested)) == nested


@pytest.mark.parametrize(
    ("kind", "file", "prefix"),
    [
        ("tokenizer", "tokenizer", "model."),
        ("predictor", "predictor", "model."),
        ("tokenizer", "predictor", "face_tokenizer.model."),
        ("audio_encoder", "predictor", "sound_feature_extractor.model."),
    ],
)
def test_every_key_of_the_released_sizes_has_its_place(kind, file, prefix):
    keys = json.loads((CHECKPOINTS / "keys_full.json").read_text())[file]
    given = {
        name.removeprefix(prefix): np.broadcast_to(np.float32(0), shape)
        for name, shape in keys.items()
        if name.startswith(prefix)
    }
    config = KINDS[kind].config()
    tables = {"predictor": PREDICTOR_TABLE, "audio_encoder": AUDIO_ENCODER_TABLE}
    table = tables.get(kind) or tokenizer_table(config)
    abstract = paths(runs.abstract_variables(KINDS[kind], config))
    filled = fill(abstract, given, table, "keys_full.json")
    assert set(filled) == set(abstract)
    back = to_torch(filled, table)
    assert set(back) <= set(given)
    if kind != "audio_encoder":
        assert {name: x.shape for name, x in back.items()} == {k: x.shape for k, x in given.items()}
