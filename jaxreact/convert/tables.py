"""Which torch tensor goes where, one table a model. Keys are without the Lightning prefix."""

import numpy as np

from jaxreact.convert.engine import (
    CHANNELS,
    CONV,
    CONV_2D,
    CONV_TRANSPOSED_2D,
    LINEAR,
    ONLY,
    Ignored,
    Rule,
    Table,
)
from jaxreact.models.tokenizer import FaceTokenizerConfig

TRANSFORMER = (
    Rule("{at...}.ln_{which}.weight", "{at...}.ln_{which}.scale"),
    Rule("{at...}.wte{which}.weight", "{at...}.wte{which}.embedding"),
    Rule("{at...}.wpe{which}.weight", "{at...}.wpe{which}.embedding"),
    Rule("{at...}.wpw{which}.weight", "{at...}.wpw{which}.embedding"),
    Rule("{at...}.gated_alpha", "{at...}.gated_alpha"),
    Rule("{at...}.weight", "{at...}.kernel", LINEAR),
    Rule("{at...}.bias", "{at...}.bias"),
)
"""The names that tokenizer and predictor share; all that remains is linear layers."""

QUANTIZER = (
    Rule("quantize.quantize._codebook.embed", "quantize.embed", ONLY),
    Rule("quantize.quantize._codebook.embed_avg", "quantize.embed_avg", ONLY),
    Rule("quantize.quantize._codebook.cluster_size", "quantize.cluster_size", ONLY),
    Rule("quantize.quantize.{projection}.weight", "quantize.{projection}.kernel", LINEAR),
    Rule("quantize.quantize.{projection}.bias", "quantize.{projection}.bias"),
)

PREDICTOR = Table(rules=TRANSFORMER)

AUDIO_ENCODER = Table(
    rules=(
        Rule("{at...}.conv.weight", "{at...}.conv.kernel", CONV),
        Rule("{at...}.conv.bias", "{at...}.conv.bias"),
        Rule("{at...}.layer_norm.weight", "{at...}.layer_norm.scale"),
        Rule("{at...}.layer_norm.bias", "{at...}.layer_norm.bias"),
    ),
    ignored=(
        Ignored("encoder.{rest...}", "transformer layers: their output is thrown away (47)"),
        Ignored("masked_spec_embed", "input of the transformer layers in training"),
        Ignored("feature_projection.projection.{rest}", "leads into the transformer layers"),
        Ignored("adapter.{rest...}", "comes after the transformer layers"),
        Ignored("lm_head.{rest}", "head of the speech recogniser"),
        Ignored("quantizer.{rest...}", "head of the pre-training"),
        Ignored("project_hid.{rest}", "head of the pre-training"),
        Ignored("project_q.{rest}", "head of the pre-training"),
    ),
)

INCEPTION = Table(
    rules=(
        Rule("{at...}.conv.weight", "{at...}.conv.kernel", CONV_2D),
        Rule("{at...}.bn.weight", "{at...}.bn.scale"),
        Rule("{at...}.bn.bias", "{at...}.bn.bias"),
        Rule("{at...}.bn.running_mean", "{at...}.bn.mean"),
        Rule("{at...}.bn.running_var", "{at...}.bn.var"),
    ),
    ignored=(
        Ignored("fc.{which}", "class scores: FID takes the features before them"),
        Ignored("{at...}.bn.num_batches_tracked", "a count of training steps"),
    ),
)

FACE_GENERATOR = Table(
    rules=(
        Rule("mapping_net.pre.weight", "mapping_net.pre.kernel", CONV),
        Rule("mapping_net.first.0.weight", "mapping_net.first.kernel", CONV),
        Rule("mapping_net.first.0.bias", "mapping_net.first.bias"),
        Rule("mapping_net.encoder{i}.1.weight", "mapping_net.encoder{i}.kernel", CONV),
        Rule("mapping_net.encoder{i}.1.bias", "mapping_net.encoder{i}.bias"),
        Rule("{at...}.mlp_shared.0.weight", "{at...}.mlp_shared.kernel", LINEAR),
        Rule("{at...}.mlp_shared.0.bias", "{at...}.mlp_shared.bias"),
        Rule("{at...}.mlp_gamma.weight", "{at...}.mlp_gamma.kernel", LINEAR),
        Rule("{at...}.mlp_beta.weight", "{at...}.mlp_beta.kernel", LINEAR),
        Rule(
            "{at...}.decoder{i}.conv_1.weight",
            "{at...}.decoder{i}.conv_1.kernel",
            CONV_TRANSPOSED_2D,
        ),
        Rule("{at...}.conv_s.weight", "{at...}.conv_s.kernel", CONV_TRANSPOSED_2D),
        Rule("{at...}.flow_out.0.weight", "{at...}.flow_out.norm.scale", CHANNELS),
        Rule("{at...}.flow_out.0.bias", "{at...}.flow_out.norm.bias", CHANNELS),
        Rule("{at...}.flow_out.2.weight", "{at...}.flow_out.conv.kernel", CONV_2D),
        Rule("{at...}.flow_out.2.bias", "{at...}.flow_out.conv.bias"),
        Rule("{at...}.final.model.0.weight", "{at...}.final.kernel", CONV_2D),
        Rule("{at...}.final.model.0.bias", "{at...}.final.bias"),
        Rule("{at...}.model.0.weight", "{at...}.conv.kernel", CONV_2D),
        Rule("{at...}.model.0.bias", "{at...}.conv.bias"),
        Rule("{at...}.model.1.weight", "{at...}.norm.scale", CHANNELS),
        Rule("{at...}.model.1.bias", "{at...}.norm.bias", CHANNELS),
        Rule("{at...}.weight", "{at...}.kernel", CONV_2D),
        Rule("{at...}.bias", "{at...}.bias"),
    ),
)
"""Neither network has running statistics: every norm is of the picture at hand."""


def tokenizer_table(config: FaceTokenizerConfig) -> Table:
    """The tokenizer's table; what its quantiser stores besides weights depends on the kind."""
    constants: dict[str, np.ndarray] = {}
    if config.quantize_type == "vq":
        # 1: the codebook has had its k-means start. An untrained one has nothing to convert.
        constants["quantize.quantize._codebook.initted"] = np.ones(1, np.float32)
    if config.quantize_type == "lfq":
        bits = config.codebook_size.bit_length() - 1
        constants["quantize.quantize.mask"] = 2 ** np.arange(bits - 1, -1, -1, dtype=np.int64)
    return Table(rules=QUANTIZER + TRANSFORMER, constants=constants)
