"""Which tensor of the original's two models goes where."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxreact.errors import UserError
from jaxreact.systems.belfusion.config import DenoiserConfig
from jaxreact.torch_files.engine import LINEAR, Rule, Table

STATISTICS = "statistics."
"""What stands before the names of a VAE's statistics, an entry of their own in its file."""

_TWICE = ("linear_emb", "cond_layers.1")
"""The two names of one layer in the denoiser; the first is the one that the table knows (B17)."""

_REMAINING = (
    Rule("{at...}.weight", "{at...}.kernel", LINEAR),
    Rule("{at...}.bias", "{at...}.bias"),
)

VAE_TABLE = Table(
    rules=(
        Rule("statistics.{name}", "statistics.{name}"),
        Rule("{rnn}.rnn_f.weight_ih", "{rnn}.input.kernel", LINEAR),
        Rule("{rnn}.rnn_f.weight_hh", "{rnn}.hidden.kernel", LINEAR),
        Rule("{rnn}.rnn_f.bias_ih", "{rnn}.input.bias"),
        Rule("{rnn}.rnn_f.bias_hh", "{rnn}.hidden.bias"),
        Rule("d_mlp.affine_layers.{i}.weight", "d_mlp.{i}.kernel", LINEAR),
        Rule("d_mlp.affine_layers.{i}.bias", "d_mlp.{i}.bias"),
        Rule("coeff_reg.0.weight", "coeff_hidden.kernel", LINEAR),
        Rule("coeff_reg.0.bias", "coeff_hidden.bias"),
        Rule("coeff_reg.2.weight", "coeff_out.kernel", LINEAR),
        Rule("coeff_reg.2.bias", "coeff_out.bias"),
        *_REMAINING,
    ),
    model="BeLFusion's VAE",
)


def denoiser_table(config: DenoiserConfig) -> Table:
    """The denoiser's table; the original counts its last layer, which differs, with the others."""
    last = f"layers.{config.num_layers - 1}.linear"
    return Table(
        rules=(
            Rule(f"{last}.weight", "last.kernel", LINEAR),
            Rule(f"{last}.bias", "last.bias"),
            Rule("{embed}_embed.0.weight", "{embed}_embed.first.kernel", LINEAR),
            Rule("{embed}_embed.0.bias", "{embed}_embed.first.bias"),
            Rule("{embed}_embed.2.weight", "{embed}_embed.second.kernel", LINEAR),
            Rule("{embed}_embed.2.bias", "{embed}_embed.second.bias"),
            Rule("layers.{i}.norm.weight", "layers.{i}.ln_1.scale"),
            Rule("layers.{i}.norm.bias", "layers.{i}.ln_1.bias"),
            *_REMAINING,
        ),
        model="BeLFusion's denoiser",
    )


def merged(tensors: Mapping[str, np.ndarray], source: Path) -> dict[str, np.ndarray]:
    """The tensors of a denoiser without the second names of layers that have two (B17).

    Raises UserError where the two are not the same, or one is missing.
    """
    kept, second = _TWICE
    left = dict(tensors)
    for name in [name for name in tensors if f".{kept}." in name]:
        twin = name.replace(f".{kept}.", f".{second}.")
        if twin not in tensors:
            raise UserError(f"{source}: lacks {twin}, which is {name} again; copy the file again")
        if not np.array_equal(left.pop(twin), tensors[name], equal_nan=True):
            raise UserError(
                f"{source}: {twin} and {name} differ, where the original has one tensor;"
                " it is no denoiser of BeLFusion"
            )
    return left


def doubled(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The inverse of `merged`."""
    kept, second = _TWICE
    twins = {n.replace(f".{kept}.", f".{second}."): x for n, x in tensors.items()}
    return {**tensors, **twins}
