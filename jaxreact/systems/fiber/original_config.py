"""Configurations in the original's own names -> this project's."""

import dataclasses
import math
from pathlib import Path
from typing import Any

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.runs import Kind
from jaxreact.torch_files.json_file import read_mapping
from jaxreact.torch_files.names import shown

_LEARNING = (
    *("learning_rate", "weight_decay", "beta1", "beta2", "grad_clip", "decay_lr", "warmup_iters"),
    *("lr_decay_iters", "min_lr", "output_dir", "run_name", "data_config", "checkpoint_path"),
)
_DEAD = ("attn_dropout", "resid_dropout", "embd_pdrop")  # the original never reads them (17)
_LOSS = ("quantize_entropy_loss_weight", "quantize_diversity_gamma", "quantize_weight")
NOT_THE_MODEL = {
    "tokenizer": {*_LEARNING, *_DEAD, *_LOSS, "exp_weight", "rot_weight", "trans_weight", "phase"},
    "predictor": {
        *(*_LEARNING, *_DEAD, *_LOSS, "past_mask_p", "predictor_mode", "mask_value", "cache"),
        *("padding_value", "sampling_temperature", "sampling_top_k", "test_extend_factor"),
        *("render", "only_speaker", "collect_metrics_in", "render_skip_step", "quantize_type"),
        *("quantize_codebook_size", "quantize_levels", "quantize_decay"),
        "quantize_commitment_weight",
    },
}
"""Keys of the original's configurations that say nothing of the converted model: how to train it,
sample from it and score it."""


def read_config(kind: Kind, path: str | Path | None) -> Any:
    """The configuration in a JSON file of the original's names; `None` is the released one.

    Keys about training and sampling are passed over, missing ones have the released value. Raises
    UserError where the file cannot be read, names an unknown key, or wants a predictor of traits,
    for which the original has no weights.
    """
    if path is None:
        return kind.config()
    fields = read_mapping(path)
    fields = {name: fields[name] for name in fields if name not in NOT_THE_MODEL[kind.name]}
    _check_types(kind, fields, path)
    if fields.get("traits"):
        raise UserError(f"{path}: traits, which the original does not know; leave it out")
    return runs.make_config(kind, fields, path)


def _check_types(kind: Kind, fields: dict[str, Any], path: str | Path) -> None:
    """Raises UserError for a value that is not of its default's type; sizes are 1 or more."""
    defaults = dataclasses.asdict(kind.config())
    for name, value in fields.items():
        default = defaults.get(name)
        if isinstance(default, bool):
            fits, expected = isinstance(value, bool), "true or false"
        elif isinstance(default, int):
            fits, expected = type(value) is int and value > 0, "a whole number of 1 or more"
        elif isinstance(default, float):
            fits = type(value) in (int, float) and math.isfinite(value)
            expected = "a number"
        elif isinstance(default, tuple):
            fits = isinstance(value, list) and all(type(x) is int and x > 0 for x in value)
            expected = "a list of whole numbers of 1 or more"
        else:
            continue
        if not fits:
            raise UserError(f"{path}: {name} is {shown(repr(value))}, not {expected}")


def with_codebook(predictor: Any, tokenizer: Any) -> Any:
    """The predictor's configuration, knowing how many codes the tokenizer really has.

    Of the released 2048 the tokenizer uses 1000 (behaviour 29). Raises UserError where the
    tokenizer has more codes than the predictor can name.
    """
    try:
        return dataclasses.replace(predictor, codebook_size=tokenizer.codebook_size)
    except ValueError as error:
        raise UserError(f"the tokenizer does not belong to this predictor: {error}") from error
