"""Which tensor of the original's two models goes where."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxreact.runs import Kind
from jaxreact.systems.learning2listen.config import ListenerPredictorConfig, MotionCoderConfig
from jaxreact.systems.learning2listen.kinds import CODER
from jaxreact.torch_files.engine import CONV, LINEAR, Rule, Table, Transform

DOUBLING = Transform(lambda x: x.transpose(2, 0, 1), lambda x: x.transpose(1, 2, 0))
"""torch keeps (in, out, width), we (width, in, out), not flipped."""

COUNT = ".num_batches_tracked"
"""How many batches a norm has seen: 64 bits in the original, 32 here."""

AVERAGES = "quantize.averages."
"""What stands before the names of what a codebook of averages goes on from, of which the original
knows nothing."""

STATISTICS = "statistics."
"""What stands before the names of statistics, which lie beside the original's checkpoints."""

_NORM = {
    "weight": "scale",
    "bias": "bias",
    "running_mean": "mean",
    "running_var": "var",
    "num_batches_tracked": "batches",
}


def _blocks(layers: int) -> tuple[Rule, ...]:
    """Of transformers: the original numbers attention and MLP of all blocks in one row."""
    rules = []
    for number in range(layers):
        parts = ((2 * number, "attn", "ln_1"), (2 * number + 1, "mlp", "ln_2"))
        for place, part, norm in parts:
            theirs, ours = f"{{at...}}.net.{place}.fn", f"{{at...}}.{number}"
            rules += [
                Rule(f"{theirs}.norm.weight", f"{ours}.{norm}.scale"),
                Rule(f"{theirs}.norm.bias", f"{ours}.{norm}.bias"),
                Rule(f"{theirs}.fn.{{layer}}.weight", f"{ours}.{part}.{{layer}}.kernel", LINEAR),
                Rule(f"{theirs}.fn.{{layer}}.bias", f"{ours}.{part}.{{layer}}.bias"),
            ]
    return tuple(rules)


def _stages(name: str) -> tuple[Rule, ...]:
    """Of a row of convolutions with their norms."""
    norms = (
        Rule(f"{name}.{{i}}.2.{theirs}", f"{name}.{{i}}.batch_norm.{ours}")
        for theirs, ours in _NORM.items()
    )
    return (
        *norms,
        Rule(f"{name}.{{i}}.0.weight", f"{name}.{{i}}.conv.kernel", CONV),
        Rule(f"{name}.{{i}}.0.bias", f"{name}.{{i}}.conv.bias"),
    )


_REMAINING = (
    Rule("statistics.{name...}", "statistics.{name...}"),
    Rule("{at...}.pos_embedding", "{at...}.pos_embedding"),
    Rule("{at...}.weight", "{at...}.kernel", LINEAR),
    Rule("{at...}.bias", "{at...}.bias"),
)


def coder_table(config: MotionCoderConfig) -> Table:
    """The VQ-VAE's table."""
    return Table(
        rules=(
            Rule("quantize.embedding.weight", "quantize.embedding"),
            Rule(f"{AVERAGES}{{name}}", f"{AVERAGES}{{name}}"),
            Rule("decoder.expander.0.0.weight", "decoder.expander.0.conv.kernel", DOUBLING),
            *_stages("encoder.squasher"),
            *_stages("decoder.expander"),
            Rule("decoder.cross_smooth_layer.weight", "decoder.cross_smooth_layer.kernel", CONV),
            Rule("{at...}_linear_embedding.net.weight", "{at...}_linear_embedding.kernel", LINEAR),
            Rule("{at...}_linear_embedding.net.bias", "{at...}_linear_embedding.bias"),
            *_blocks(config.num_hidden_layers),
            *_REMAINING,
        ),
        model="Learning2Listen's VQ-VAE",
    )


def listener_table(config: ListenerPredictorConfig) -> Table:
    """The predictor's table."""
    return Table(
        rules=(
            Rule("listener_past_tok_embedding.weight", "listener_past_tok_embedding.embedding"),
            *_stages("post_compressor"),
            Rule("cross_modal_layer.cross_norm_layer.weight", "cross_modal_layer.ln_norm.scale"),
            Rule("cross_modal_layer.cross_norm_layer.bias", "cross_modal_layer.ln_norm.bias"),
            *_blocks(max(config.num_hidden_layers, 2)),
            *_REMAINING,
        ),
        model="Learning2Listen's predictor",
    )


def table_of(kind: Kind, config: Any) -> Table:
    """The table of one of the two models."""
    return coder_table(config) if kind is CODER else listener_table(config)


def with_narrow_counts(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors as models have them, counts of batches in 32 bits, as many as fit there."""
    most = np.iinfo(np.int32).max
    return {
        name: np.asarray(np.minimum(x, most), np.int32)
        if name.endswith(COUNT) and x.dtype == np.int64
        else x
        for name, x in tensors.items()
    }


def with_wide_counts(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The tensors as the original has them."""
    return {n: x.astype(np.int64) if n.endswith(COUNT) else x for n, x in tensors.items()}
