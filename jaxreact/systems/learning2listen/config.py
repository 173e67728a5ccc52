"""Sizes and options of Learning2Listen's two models, by the original's names where it has one."""

from dataclasses import dataclass
from typing import Literal

from jaxreact.errors import UserError
from jaxreact.face import COEFFS, EMOTION_CHANNELS

Mode = Literal["corrected", "original"]
"""Whether a reaction is generated as the original's script does it, mistakes included (behaviours
L10 to L13)."""

MODES = ("corrected", "original")

Padding = Literal["replicate", "zeros"]
"""What convolutions see beyond both ends: the end again, or nothing (L5b)."""

PADDINGS = ("replicate", "zeros")

CodeLayout = Literal["groups", "time"]
"""What a code stands for: a group of channels over the whole window, as in the original (L4), or a
stretch of time."""

CODE_LAYOUTS = ("groups", "time")

CodebookKind = Literal["gradients", "averages"]
"""How the codebook's vectors move: by the loss, as in the original, whose training then keeps to a
few of them (L21); or as moving averages, which codes that are hardly used start anew."""

CODEBOOK_KINDS = ("gradients", "averages")

AudioKind = Literal["mel", "raw"]
"""Where audio channels come from: computed of sound (`audio_features/mel.py`), or given."""

AUDIO_KINDS = ("mel", "raw")

MEL = (128, 4)
"""Bands, and steps a frame at 25 frames a second."""

WINDOW = 32
"""Frames that become codes, and come of them, at once."""
PATCH = 8
"""Frames that a new code adds."""
CODES = WINDOW // PATCH
"""Codes of a window."""
SPEAKER_FRAMES = WINDOW + PATCH
"""Frames of the speaker that a new code answers: the window's, and those of its own patch."""
STAGES = 3
"""Halvings that turn a window into its codes, and `SPEAKER_FRAMES` into `SPEAKER_STEPS`."""
SPEAKER_STEPS = SPEAKER_FRAMES >> STAGES
POSITIONS = CODES + SPEAKER_STEPS

DECA = 56
"""Channels of DECA's faces, of which released models speak: 50 of expression, 3 of the head's
rotation, 3 of the jaw's, both axis and angle."""
FACE_AND_EMOTION = COEFFS + EMOTION_CHANNELS

GROUPS = {DECA: (50, 3, 3), COEFFS: (52, 3, 3), FACE_AND_EMOTION: (52, 3, 3, EMOTION_CHANNELS)}
"""Channels of a face -> those whose mean errors count alike."""


def _check(config: object, sizes: tuple[str, ...], width: str, heads: str) -> None:
    for name in sizes:
        if getattr(config, name) < 1:
            raise ValueError(f"{name} {getattr(config, name)} is not 1 or more")
    if getattr(config, width) % getattr(config, heads):
        raise ValueError(
            f"{width} {getattr(config, width)} is not a multiple of {heads}"
            f" {getattr(config, heads)}"
        )


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name} {value!r} is not one of {', '.join(known)}")


@dataclass(frozen=True)
class MotionCoderConfig:
    """Sizes of the VQ-VAE of motion; the defaults are the released ones, for our own faces."""

    in_dim: int = FACE_AND_EMOTION
    """Channels of a frame: 58 coefficients and 25 of emotion; 58 without emotion; DECA's 56."""
    hidden_size: int = 256
    num_hidden_layers: int = 12
    """In the encoder, and in the decoder."""
    num_attention_heads: int = 8
    intermediate_size: int = 384
    n_embed: int = 200
    """Number of codes."""
    code_layout: CodeLayout = "time"
    conv_padding: Padding = "replicate"
    codebook: CodebookKind = "gradients"
    codebook_decay: float = 0.99
    """Of averages, each step."""
    codebook_least_use: float = 0.1
    """A code of averages that is used less starts anew; 1 is what it would be if all were used
    alike."""

    def __post_init__(self):
        sizes = ("num_hidden_layers", "num_attention_heads", "intermediate_size", "n_embed")
        _check(self, (*sizes, "hidden_size"), "hidden_size", "num_attention_heads")
        if self.in_dim not in GROUPS:
            known = ", ".join(map(str, GROUPS))
            raise ValueError(f"in_dim {self.in_dim} is not one of {known}")
        if self.hidden_size % CODES:
            raise ValueError(f"hidden_size {self.hidden_size} is not a multiple of {CODES}")
        _check_choice("code_layout", self.code_layout, CODE_LAYOUTS)
        _check_choice("conv_padding", self.conv_padding, PADDINGS)
        _check_choice("codebook", self.codebook, CODEBOOK_KINDS)
        for name in ("codebook_decay", "codebook_least_use"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is not between 0 and 1")

    @property
    def groups(self) -> tuple[slice, ...]:
        """Channels whose mean errors count alike."""
        ends = [sum(GROUPS[self.in_dim][: n + 1]) for n in range(len(GROUPS[self.in_dim]))]
        return tuple(map(slice, [0, *ends[:-1]], ends))


@dataclass(frozen=True)
class ListenerPredictorConfig:
    """Sizes and options of the predictor; the defaults are the released ones, for our own data."""

    n_embed: int = 200
    """Number of codes."""
    hidden_size: int = 200
    num_hidden_layers: int = 5
    """That listener and speaker go through together."""
    num_attention_heads: int = 10
    intermediate_size: int = 128
    speaker_heads: int = 10
    speaker_intermediate_size: int = 128
    """Of the speaker's two layers, which are twice as wide."""
    past_heads: int = 10
    past_intermediate_size: int = 128
    """Of the listener's layer that is never run (L8)."""
    motion_dim: int = COEFFS
    """Channels of the speaker's motion: 58, or DECA's 56."""
    audio_dim: int = 128
    audio_rate: int = 4
    """Audio steps a frame."""
    audio: AudioKind = "mel"
    conv_padding: Padding = "replicate"
    mode: Mode = "corrected"
    temperature: float = 0.7
    """What generation divides logits by where nothing else is asked for."""
    top_p: float = 0.9
    """Likewise: codes are drawn among the most likely ones that have this probability together."""

    def __post_init__(self):
        sizes = ("n_embed", "hidden_size", "num_hidden_layers", "audio_dim", "audio_rate")
        inner = ("intermediate_size", "speaker_intermediate_size", "past_intermediate_size")
        heads = ("num_attention_heads", "speaker_heads", "past_heads")
        for name in heads:
            _check(self, (*sizes, *inner, name), "hidden_size", name)
        if self.motion_dim not in (DECA, COEFFS):
            raise ValueError(f"motion_dim {self.motion_dim} is not {COEFFS}, or DECA's {DECA}")
        _check_choice("audio", self.audio, AUDIO_KINDS)
        if self.audio == "mel" and (self.audio_dim, self.audio_rate) != MEL:
            raise ValueError(
                f"audio_dim {self.audio_dim} and audio_rate {self.audio_rate} are not those of mel"
                f" bands, {MEL[0]} and {MEL[1]}"
            )
        _check_choice("conv_padding", self.conv_padding, PADDINGS)
        _check_choice("mode", self.mode, MODES)
        if not self.temperature > 0:
            raise ValueError(f"temperature {self.temperature} is not positive")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p {self.top_p} is not above 0 and at most 1")


def check_fit(predictor: ListenerPredictorConfig, coder: MotionCoderConfig, source: object) -> None:
    """Raises UserError, naming `source`, where a predictor cannot work with a VQ-VAE's codes."""
    if predictor.n_embed != coder.n_embed:
        raise UserError(
            f"{source}: knows {predictor.n_embed} codes, the VQ-VAE has {coder.n_embed}; give the"
            " VQ-VAE that it was trained with"
        )
    if (predictor.motion_dim == DECA) != (coder.in_dim == DECA):
        raise UserError(
            f"{source}: sees {predictor.motion_dim} channels, the VQ-VAE's faces have"
            f" {coder.in_dim}; give the VQ-VAE that it was trained with"
        )
