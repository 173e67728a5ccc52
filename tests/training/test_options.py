"""Numbers that no training can go by are refused by the name of their option, before any work."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from jaxreact.errors import UserError
from jaxreact.systems.belfusion.presets import VAE_PRESETS
from jaxreact.systems.learning2listen.presets import CODER_PRESETS, LISTENER_PRESETS
from jaxreact.systems.trans_vae.presets import PRESETS
from jaxreact.train import stage_names, train
from jaxreact.training.command import parse
from jaxreact.training.options import check_options


def settings(presets: Any, *options: object, preset: str = "debug") -> Any:
    first = ("--first", "x") if presets is LISTENER_PRESETS else ()
    given = (preset, "--data", "data", "--out", "out", *first, *options)
    return parse(presets, [str(word) for word in given])


@pytest.mark.parametrize(
    ("option", "bad", "good", "words"),
    [
        ("--loop.epochs", (0, -1), 1, "1 or more"),
        ("--loop.batch-size", (0, -2), 1, "1 or more"),
        ("--loop.validate-every", (0, -1), 1, "1 or more"),
        ("--loop.log-every", (0,), 1, "1 or more"),
        ("--loop.workers", (-1,), 0, "0 or more"),
        ("--loop.pictures-every", (-1,), 0, "0 or more"),
        ("--loop.seed", (-1, 2**32), 2**32 - 1, "a whole number from 0 to 4294967295"),
        ("--loop.optimizer.learning-rate", (0.0, -1.0), 1.0, "above 0"),
        ("--loop.optimizer.weight-decay", (-0.1,), 0.0, "0 or more"),
        ("--loop.optimizer.beta1", (1.0, -0.5), 0.0, "0 or more and below 1"),
        ("--loop.optimizer.beta2", (1.5,), 0.5, "0 or more and below 1"),
        ("--loop.optimizer.epsilon", (0.0,), 1e-9, "above 0"),
        ("--loop.optimizer.warmup-steps", (-1,), 0, "0 or more"),
        ("--loop.optimizer.warmup-start", (-0.5, 1.5), 1.0, "from 0 to 1"),
        ("--loop.optimizer.final-share", (-1.0, 2.0), 0.0, "from 0 to 1"),
        ("--weights.kl", (-1.0,), 0.0, "0 or more"),
        ("--weights.diversity", (-1.0,), 0.0, "0 or more"),
        ("--model.dropout", (1.0, -0.5), 0.0, "0 or more and below 1"),
    ],
)
def test_a_number_that_cannot_be(option, bad, good, words):
    check_options(settings(PRESETS, option, good))
    for value in bad:
        with pytest.raises(UserError, match=f"^{option} {value} must be {words}$"):
            check_options(settings(PRESETS, option, value))


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize(
    ("presets", "option"),
    [
        (PRESETS, "--weights.kl"),
        (PRESETS, "--weights.diversity"),
        (PRESETS, "--loop.optimizer.learning-rate"),
        (CODER_PRESETS, "--loop.optimizer.beta1"),
        (VAE_PRESETS, "--loop.optimizer.weight-decay"),
        (LISTENER_PRESETS, "--model.temperature"),
    ],
)
def test_what_is_no_finite_number(presets, option, value):
    if value != "inf" and option == "--model.temperature":
        pytest.skip("the model's own configuration refuses it")
    with pytest.raises(UserError, match=rf"^{option} {value} is no finite number$"):
        check_options(settings(presets, f"{option}={value}"))


def test_a_rate_that_falls_as_the_root_needs_a_warm_up():
    config = settings(CODER_PRESETS, preset="original")
    check_options(config)
    optimizer = dataclasses.replace(config.loop.optimizer, warmup_steps=0)
    loop = dataclasses.replace(config.loop, optimizer=optimizer)
    with pytest.raises(UserError, match=r"--loop\.optimizer\.warmup-steps 0: .* a warm-up of 1"):
        check_options(dataclasses.replace(config, loop=loop))


@pytest.mark.parametrize("stage", stage_names())
def test_every_stage_looks_at_its_options_and_its_folder_first(stage, tmp_path):
    (tmp_path / "file").write_text("")
    options = ["debug", "--data", "nowhere", "--loop.epochs", "0"]
    if stage.partition("/")[2] in ("denoiser", "predictor"):
        options += ["--first", "nowhere"]
    with pytest.raises(UserError, match=r"^--loop\.epochs 0 must be 1 or more"):
        train(stage, [*options, "--out", str(tmp_path / "out")])
    options[options.index("--loop.epochs") + 1] = "1"
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=r"file is a file, not a directory"):
            train(stage, [*options, "--out", str(out)])
    assert [path.name for path in Path(tmp_path).iterdir()] == ["file"]
