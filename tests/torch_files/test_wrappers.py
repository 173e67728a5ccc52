"""Wrappers' names come off the keys of weights, wherever they stand, and nothing else does."""

import pytest

from jaxreact.errors import UserError
from jaxreact.torch_files.wrappers import is_average, unwrap

KEYS = ("model.a.weight", "model.a.bias", "model.b.0.weight")


@pytest.mark.parametrize(
    "wrapped",
    [
        "module.{}",
        "_orig_mod.{}",
        "module._orig_mod.{}",
        "_orig_mod.module.{}",
        "_forward_module.module.{}",
        "_fsdp_wrapped_module.{}",
    ],
)
@pytest.mark.parametrize("place", ["before", "inside", "one part"])
def test_wrappers_anywhere(wrapped, place):
    if place == "before":
        keys = [wrapped.format(key) for key in KEYS]
    elif place == "inside":
        keys = ["model." + wrapped.format(key.removeprefix("model.")) for key in KEYS]
    else:
        keys = ["model." + wrapped.format("a.weight"), *KEYS[1:]]
    found = unwrap(keys, "x.ckpt")
    assert dict(found.names) == dict(zip(KEYS, keys, strict=True))
    (remark,) = found.remarks
    assert f"taken off {1 if place == 'one part' else 3} of 3 names" in remark
    assert all(f"{part}." in remark for part in wrapped.split(".")[:-1])


def test_plain_names_stay_and_nothing_is_said():
    found = unwrap(KEYS, "x.ckpt")
    assert dict(found.names) == {key: key for key in KEYS}
    assert found.remarks == ()


@pytest.mark.parametrize(
    "key", ["modules.weight", "my_module.weight", "a.module", "module", "submodule.b", "schema.w"]
)
def test_names_that_only_look_alike(key):
    assert dict(unwrap([key, "other"], "x").names) == {key: key, "other": "other"}


def test_a_model_may_use_a_wrappers_name_itself():
    keys = ["module.weight", "module.ema.bias", "_orig_mod.module.b.module.c"]
    found = unwrap(keys, "x", own={"module", "ema"})
    assert list(found.names) == ["module.weight", "module.ema.bias", "module.b.module.c"]


@pytest.mark.parametrize(
    "keys",
    [
        ["a.weight", "module.a.weight"],
        ["a._orig_mod.weight", "a.module.weight"],
        ["ema.a.weight", "ema.module.a.weight"],
        ["swa_model.x", "ema.x"],
    ],
)
def test_two_keys_never_become_one(keys):
    with pytest.raises(UserError, match=r"x\.ckpt: .* is in it twice, as") as caught:
        unwrap(keys, "x.ckpt")
    assert keys[1] in str(caught.value)


AVERAGES = {
    "Lightning's module": ["ema." + key for key in KEYS],
    "wrapped": ["ema_model.module." + key.removeprefix("model.") for key in KEYS]
    + ["ema_model.n_averaged"],
    "instead of model": ["model_ema." + key.removeprefix("model.") for key in KEYS],
    "swa": ["swa_model.module." + key for key in KEYS] + ["swa_model.n_averaged"],
}


@pytest.mark.parametrize("copies", AVERAGES.values(), ids=AVERAGES)
def test_the_weights_themselves_go_before_their_average(copies):
    for keys in ([*KEYS, *copies], [*copies, *KEYS]):
        found = unwrap(keys, "x")
        assert dict(found.names) == {key: key for key in KEYS}
        mark = copies[0].split(".")[0]
        assert found.remarks[-1] == (
            f"the weights themselves are taken, other copies of them left: {mark}."
        )


@pytest.mark.parametrize("copies", AVERAGES.values(), ids=AVERAGES)
def test_an_average_alone_is_taken(copies):
    found = unwrap([*copies, "face_tokenizer.model.c"], "x")
    names = [
        name if name.startswith(("model.", "face_")) else f"model.{name}" for name in found.names
    ]
    assert sorted(names) == sorted([*KEYS, "face_tokenizer.model.c"])
    assert "only an average of the weights over training is in it and taken" in found.remarks[-1]
    left = [remark for remark in found.remarks if "counts of an average" in remark]
    assert bool(left) == any(key.endswith("n_averaged") for key in copies)


def test_copies_whose_names_lost_their_dots():
    copies = ["model_ema." + key.removeprefix("model.").replace(".", "") for key in KEYS]
    found = unwrap([*KEYS, *copies, "model_ema.decay", "model_ema.num_updates"], "x")
    assert dict(found.names) == {key: key for key in KEYS}


def test_the_two_copies_of_ema_pytorch():
    keys = [f"{copy}.{key}" for copy in ("ema_model", "online_model") for key in KEYS]
    found = unwrap([*keys, "initted", "step"], "x")
    assert dict(found.names) == {key: f"online_model.{key}" for key in KEYS}


def test_a_count_of_the_models_own_stays():
    keys = ["module.quantize._codebook.initted", "module.step_size.step"]
    assert list(unwrap(keys, "x").names) == ["quantize._codebook.initted", "step_size.step"]


def test_names_of_averages():
    names = ("ema", "model_ema", "ema_state_dict", "net_G_ema", "EMA", "swa_model", "average_model")
    assert all(map(is_average, names))
    assert not any(map(is_average, ("schema", "embed_avg", "averaging_state", "emai", "")))
