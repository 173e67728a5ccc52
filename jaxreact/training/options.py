"""What the options of a training must be, whatever it trains."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from jaxreact.errors import UserError, check_seed


class _Rule(NamedTuple):
    holds: Callable[[Any], bool]
    words: str


_COUNT = _Rule(lambda x: x >= 1, "1 or more")
_LEAST_0 = _Rule(lambda x: x >= 0, "0 or more")
_POSITIVE = _Rule(lambda x: x > 0, "above 0")
_SHARE = _Rule(lambda x: 0 <= x <= 1, "from 0 to 1")
_KEPT = _Rule(lambda x: 0 <= x < 1, "0 or more and below 1")

_RULES: Mapping[str, _Rule] = {
    "loop.epochs": _COUNT,
    "loop.batch_size": _COUNT,
    "loop.validate_every": _COUNT,
    "loop.log_every": _COUNT,
    "loop.workers": _LEAST_0,
    "loop.pictures_every": _LEAST_0,
    "loop.optimizer.learning_rate": _POSITIVE,
    "loop.optimizer.weight_decay": _LEAST_0,
    "loop.optimizer.beta1": _KEPT,
    "loop.optimizer.beta2": _KEPT,
    "loop.optimizer.epsilon": _POSITIVE,
    "loop.optimizer.warmup_steps": _LEAST_0,
    "loop.optimizer.warmup_start": _SHARE,
    "loop.optimizer.final_share": _SHARE,
    "model.dropout": _KEPT,
    "weights.kl": _LEAST_0,
    "weights.diversity": _LEAST_0,
    "weights.units": _LEAST_0,
    "weights.affect": _LEAST_0,
    "weights.expressions": _LEAST_0,
    "weights.face": _LEAST_0,
    "weights.rotation": _LEAST_0,
    "weights.unrest": _LEAST_0,
    "quantize_weight": _LEAST_0,
    "emotion_weight": _LEAST_0,
    "rotation_weight": _LEAST_0,
    "past_mask_probability": _SHARE,
}
"""By the option's name; of those that a stage does not have nothing is asked."""


def check_options(config: Any) -> None:
    """Raises UserError, naming the option, for a number that no training can go by.

    `config` is the configuration of any stage. Numbers have to be finite; what is particular to a
    stage is looked at there.
    """
    for name, value in _numbers(config):
        option = f"--{name.replace('_', '-')}"
        if not math.isfinite(value):
            raise UserError(f"{option} {value} is no finite number")
        rule = _RULES.get(name)
        if rule is not None and not rule.holds(value):
            raise UserError(f"{option} {value} must be {rule.words}")
    check_seed(config.loop.seed, "--loop.seed")
    optimizer = config.loop.optimizer
    if optimizer.after_warmup == "root" and optimizer.warmup_steps < 1:
        raise UserError(
            "--loop.optimizer.warmup-steps 0: a rate that falls as the root of the step after it"
            " needs a warm-up of 1 step or more"
        )


def _numbers(config: Any, at: str = "") -> Iterator[tuple[str, int | float]]:
    """Name and value of every number in a dataclass and in those that it holds."""
    for field in dataclasses.fields(config):
        value, name = getattr(config, field.name), f"{at}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from _numbers(value, f"{name}.")
        elif isinstance(value, int | float):
            yield name, value
