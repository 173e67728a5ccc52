"""REACT 2026's alignment network, converted: what scores in mode react2026 take as `align`."""

import hashlib
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.face import EMOTION_CHANNELS
from jaxreact.metrics.alignment.network import (
    LONGEST,
    AlignmentConfig,
    AlignmentNetwork,
    Gaussian,
    emotion_of,
)
from jaxreact.metrics.alignment.pieces import Piece, pieces_of
from jaxreact.nn.compiled import Compiled
from jaxreact.nn.precision import Precision

ALIGNMENT = runs.Kind("alignment", AlignmentConfig, AlignmentNetwork)

ROOM = 125
"""Pieces are filled up to a multiple of so many frames, which no result depends on: each side is
compiled for eight lengths at most, not for a thousand."""

KEPT = 512
"""Latents of the last pieces that are kept, 134 MB of them at the released size: another draw of
the noise then costs the decoder alone."""


class Alignment(Compiled):
    """An `Align`: a target's emotion in another number of frames, as the challenge makes it.

    It computes in float32 on every device, since an action unit is a decision.
    """

    def __init__(
        self,
        model: AlignmentNetwork,
        content: dict[str, Any],
        directory: str | Path,
        precision: Precision = "float32",
    ):
        super().__init__(model, content, directory, precision)
        self._latents: OrderedDict[bytes, Gaussian] = OrderedDict()

    @cached_property
    def _encode(self) -> Any:
        return self._jit(lambda model, emotion, mask: model.encode(emotion, mask))

    @cached_property
    def _decode(self) -> Any:
        return self._jit(lambda model, latent, mask: emotion_of(model.decode(latent, mask)))

    def __call__(
        self, target: Float[np.ndarray, "_ 25"], length: int, key: Array
    ) -> Float[np.ndarray, "{length} 25"]:
        """The target's emotion in `length` frames, by the noise of a key of `jax.random.key`; by
        none of a `deterministic` one.

        A target that has so many frames is given back as it is. Raises `UserError` where the
        challenge's rule has no answer (`pieces_of`).
        """
        if len(target) == length:
            return target
        pieces = pieces_of(target, length)
        if self.config.deterministic:
            return self._joined(pieces, None)
        shape = (len(pieces), self.config.tokens, self.config.features)
        return self._joined(pieces, jax.random.normal(key, shape))

    def by_noise(
        self,
        target: Float[np.ndarray, "_ 25"],
        length: int,
        noise: Float[np.ndarray | Array, "pieces tokens features"],
    ) -> Float[np.ndarray, "{length} 25"]:
        """The same by given standard normal noise, such as another program's, for each of the
        ceil(the longer / 1000) pieces. Raises ValueError for noise of another shape."""
        if len(target) == length:
            return target
        pieces = pieces_of(target, length)
        shape = (len(pieces), self.config.tokens, self.config.features)
        if noise.shape != shape:
            raise ValueError(f"noise of shape {noise.shape}, not {shape}")
        return self._joined(pieces, jnp.asarray(noise, jnp.float32))

    def _joined(self, pieces: list[Piece], noise: Array | None) -> np.ndarray:
        made = [
            self._aligned(piece, None if noise is None else noise[number])
            for number, piece in enumerate(pieces)
        ]
        return np.concatenate(made)

    def _aligned(self, piece: Piece, noise: Array | None) -> np.ndarray:
        latent = self.latent(piece.emotion)
        drawn = latent.mean if noise is None else latent.mean + latent.deviation * noise
        return np.asarray(self._decode(drawn, _mask(piece.frames)))[0, : piece.frames]

    def latent(self, emotion: Float[np.ndarray, "frames 25"]) -> Gaussian:
        """What the network makes of a piece of 1 to 1000 frames, as (1, tokens, features)."""
        mask = _mask(len(emotion))
        filled = np.zeros((1, mask.shape[1], EMOTION_CHANNELS), np.float32)
        filled[0, : len(emotion)] = emotion
        name = hashlib.sha256(mask.tobytes() + filled.tobytes()).digest()
        if name not in self._latents:
            self._latents[name] = self._encode(filled, mask)
        self._latents.move_to_end(name)
        if len(self._latents) > KEPT:
            self._latents.popitem(last=False)
        return self._latents[name]


def _mask(frames: int) -> np.ndarray:
    """(1, room), True in the first frames."""
    room = min(LONGEST, -(-frames // ROOM) * ROOM)
    return np.arange(room)[None] < frames


def load_alignment(directory: str | Path, *, deterministic: bool = False) -> Alignment:
    """The challenge's alignment network of a converted directory. Raises UserError if there is
    none.

    `deterministic`: the latent is its mean. Nothing is then drawn, and scores of the same targets
    are always the same, but not the challenge's.
    """
    directory = Path(directory)
    if not (directory / "config.json").exists():
        raise UserError(
            f"{directory}: no alignment network here; download the challenge's "
            "pretrained_models/post_processor/checkpoint.pth (docs/metrics.md) and run "
            f"python convert_weights.py emotion-autoencoder checkpoint.pth {directory}"
        )
    model, content = runs.load_model(directory, ALIGNMENT, deterministic=deterministic)
    return Alignment(model, content, directory)
