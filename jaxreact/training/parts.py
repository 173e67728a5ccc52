"""A batch cut into parts that are computed one after the other, for less memory."""

import jax
from jaxtyping import Array, Float

from jaxreact.models.audio_encoder import AudioEncoder

CLIPS_AT_ONCE = {"cpu": 1}
"""Clips that each device takes through the audio encoder at once, by backend; elsewhere 16. A clip
of ten seconds fills 67 MB a layer, several times over: one is enough to keep a processor busy."""


def cut(rows: Float[Array, "rows ..."], parts: int) -> Float[Array, "parts rows_of_a_part ..."]:
    """Every `parts`-th row makes a part, so that each device finds its rows of a part among its
    own."""
    return rows.reshape(-1, parts, *rows.shape[1:]).swapaxes(0, 1)


def joined(parts: Float[Array, "parts rows_of_a_part ..."]) -> Float[Array, "rows ..."]:
    """The rows that `cut` has cut, in their order."""
    return parts.swapaxes(0, 1).reshape(-1, *parts.shape[2:])


def heard(
    encoder: AudioEncoder, waveforms: Float[Array, "rows samples"]
) -> Float[Array, "rows frames features"]:
    """The encoder's features of each waveform, computed a few waveforms at a time."""
    rows, devices = len(waveforms), jax.device_count()
    share = rows // devices if rows % devices == 0 else rows
    most = CLIPS_AT_ONCE.get(jax.default_backend(), 16)
    parts = next(n for n in range(1, share + 1) if share % n == 0 and share // n <= most)
    if parts == 1:
        return encoder(waveforms)
    return joined(jax.lax.map(encoder, cut(waveforms, parts)))
