"""The original's golden numbers on a GPU."""

import jax
import jax.numpy as jnp
import numpy as np
from gpu_generation import place
from gpu_measuring import Found
from gpu_models import Sizes

from jaxreact.sharding import host
from jaxreact.systems.fiber.loaded_predictor import Predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer


def parity(sizes: Sizes) -> Found:
    """Golden numbers of the original, on this device, in full float32."""
    from tests.weights import golden
    from tests.weights import predictor as golden_predictor
    from tests.weights import tokenizer as golden_tokenizer

    found: Found = {}
    size = "small" if sizes.small else "full"
    coder = Tokenizer(golden_tokenizer(f"{size}_fsq"), {}, "golden").in_precision("float32")
    arrays = golden(f"tok_{size}_fsq")
    whole = arrays["x"].shape[1] // coder.block_size * coder.block_size
    codes = np.asarray(coder.encode(arrays["x"][:, :whole]))
    on_host = Tokenizer(golden_tokenizer(f"{size}_fsq"), {}, "golden")
    with jax.default_device(host()):
        there = np.asarray(on_host.placed(place(host())).encode(arrays["x"][:, :whole]))
    found["tokenizer codes that differ"] = int((codes != there).sum())
    model = Predictor(golden_predictor("small", mixed_masks=True), {}, "golden")
    arrays = golden("pred_small")
    inputs = [arrays[name] for name in ("sp_sound", "sp_face", "lt_face")]
    names = ("mask_sound_time", "mask_sp_face", "mask_lt_face")
    masks = [jnp.asarray(arrays[f"partial.{name}"]) for name in names]
    logits = np.asarray(model.in_precision("float32").logits(*inputs, *masks))
    last = arrays["partial.logits"]
    found["predictor logits"] = float(np.abs(logits[:, -last.shape[1] :] - last).max())
    arrays = golden("gen_small")
    answered = model.in_precision("float32").generate(
        arrays["sound_features"],
        arrays["sp_tokens_plus2"] - 2,
        num_samples=1,
        top_k=1,
        vocabulary="full",
    )
    wanted = arrays["generated_indices"]
    found["generated codes that differ"] = int((np.asarray(answered)[:, 0] != wanted).sum())
    found["golden"] = {"predictor": "small", "generation": "small", "tokenizer": size}
    return found
