"""Which torch tensor goes where, one table a model. Keys are without the Lightning prefix."""

import numpy as np

from jaxreact.convert.engine import CONV, CONV_2D, LINEAR, ONLY, Ignored, Rule, Table
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
