"""Deterministic weights and emotion for the alignment network, by the names of its original."""

import numpy as np

from tests.golden.recipe import _randn, smooth

FULL = {"features": 512, "inner": 2048, "encoder_layers": 6, "decoder_layers": 6, "tokens": 64}
SMALL = {"features": 32, "inner": 2048, "encoder_layers": 2, "decoder_layers": 2, "tokens": 4}
"""The original's `inner` is no option of it."""

POSITIONS = "PE.pe"


def shapes(
    features: int, inner: int, encoder_layers: int, decoder_layers: int, tokens: int
) -> dict[str, tuple[int, ...]]:
    """The original's tensors of such a network, without the positions."""
    found: dict[str, tuple[int, ...]] = {"encoder.global_tokens": (1, 2 * tokens, features)}

    def linear(name: str, outputs: int, inputs: int) -> None:
        found.update({f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)})

    linear("in_proj", features, 25)
    for name, outputs in (("au", 15), ("va", 2), ("emo", 8)):
        linear(f"{name}_out_proj", outputs, features)
    attentions = {"encoder": ("self_attn",), "decoder": ("self_attn", "multihead_attn")}
    for side, layers in (("encoder", encoder_layers), ("decoder", decoder_layers)):
        for number in range(layers):
            at = f"{side}.transformer_{side}.layers.{number}"
            for attention in attentions[side]:
                found[f"{at}.{attention}.in_proj_weight"] = (3 * features, features)
                found[f"{at}.{attention}.in_proj_bias"] = (3 * features,)
                linear(f"{at}.{attention}.out_proj", features, features)
            linear(f"{at}.linear1", inner, features)
            linear(f"{at}.linear2", features, inner)
            for norm in range(1, len(attentions[side]) + 2):
                found[f"{at}.norm{norm}.weight"] = found[f"{at}.norm{norm}.bias"] = (features,)
    return found


def tensor_of(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A float32 tensor that keeps every layer's scale."""
    noise = _randn(name, shape, seed=0)
    if ".norm" in name:
        noise = name.endswith("weight") + 0.1 * noise
    elif name.endswith("bias"):
        noise = 0.05 * noise
    elif name != "encoder.global_tokens":
        noise = noise / np.sqrt(shape[-1])
    return noise.astype(np.float32)


def positions(features: int, length: int = 5000) -> np.ndarray:
    """(length, 1, features): sines and cosines in turn, as the original's file holds them."""
    speed = 10000.0 ** (-np.arange(0, features, 2) / features)
    angle = np.arange(length)[:, None] * speed
    both = np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    return both.reshape(length, 1, features).astype(np.float32)


def tensors(**sizes: int) -> dict[str, np.ndarray]:
    """The whole state dict of the original."""
    made = {name: tensor_of(name, shape) for name, shape in shapes(**sizes).items()}
    return {POSITIONS: positions(sizes["features"]), **made}


def emotion(name: str, frames: int) -> np.ndarray:
    """(frames, 25): action units 0 or 1, valence and arousal, probabilities."""
    drawn = smooth(f"alignment.{name}", (frames, 25), k=15).astype(np.float64)
    parts = np.exp(drawn[:, 17:])
    units, feeling = drawn[:, :15] > 0, np.tanh(drawn[:, 15:17])
    shares = parts / parts.sum(axis=1, keepdims=True)
    return np.concatenate([units, feeling, shares], axis=1).astype(np.float32)


def noise(name: str, pieces: int, tokens: int, features: int) -> np.ndarray:
    """Standard normal, one row of tokens for each piece."""
    return _randn(f"alignment.noise.{name}", (pieces, tokens, features), seed=0).astype(np.float32)
