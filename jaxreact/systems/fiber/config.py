"""The predictor's sizes and options, and its tokens.

Tokens are codes shifted by two: 0 is PAD, 1 MASK (never used), code c is c + 2.
"""

from dataclasses import dataclass

PAD = 0
SPECIAL_TOKENS = 2
"""PAD and MASK stand before the codes: token = code + SPECIAL_TOKENS."""
AUDIO_FEATURES = 512
AUDIO_RATE = 2
"""wav2vec2 features a video frame (50 against 25 a second)."""


@dataclass(frozen=True)
class PredictorConfig:
    """Sizes of the predictor, by the original's names; the defaults are the released ones."""

    vocab_size: int = 2048
    """Codes of the listener's face that the head can name, special tokens not counted."""
    vocab_face_size: int = 2048
    vocab_sound_size: int = 320
    codebook_size: int | None = None
    """Codes that the tokenizer really has (1000 for the released one, of 2048 named); `None` means
    `vocab_size`. Generation over the vocabulary "codes" stays below it."""
    block_size: int = 256
    """Frames of context."""
    patch_size: int = 32
    """Frames predicted at once, that many ahead."""
    n_embd: int = 360
    n_head: int = 12
    n_layer: int = 8
    dropout: float = 0.1
    bias: bool = True
    sound_factor: int = 2
    """Sound tokens a video frame; wav2vec2 features are always two (behaviour 24)."""
    use_wav2vec2_feature: bool = True
    """Audio as wav2vec2 features; False: as sound tokens."""
    is_twisted: bool = False
    """The encoder's cross-modal blocks start from the sound and attend to the face."""
    gate_init: float = 0.0
    """What the gates of cross-attention start from. The original's 0 hides the speaker until the
    gates have grown (behaviour 26)."""
    init_std: float = 0.02
    """Deviation of the weights that training starts from. The original's 0.02 suits its width; a
    narrow model needs about 1 / sqrt(n_embd) to learn to attend to the speaker at all."""
    remat: bool | None = None
    """True: nothing inside a block is kept for the backward pass but all computed again there, for
    much less memory and a third more work. False: everything is kept. None: everything, but on a
    processor results of matrix products only."""
    temperature: float = 1.0
    """What generation divides the logits by where the sampling names no temperature of its own: a
    model of little training spreads its guesses too widely."""
    mixed_masks: bool = False
    """Mix the key masks of the samples of a batch, as the original does (behaviour 13)."""
    block_causal: bool = False
    """Attention sees the patch a position stands in and what is before it, as generation does at
    that moment. Then every patch of a window trains, since no target stands among what its position
    sees. The original sees the whole window, and all targets but the last patch (behaviour 16)."""
    traits: bool = False
    """The listener's Big Five are a condition, of data that has them (MARS of 2026). The original
    knows nothing of who listens."""

    def __post_init__(self):
        if self.n_head < 1 or self.n_embd % self.n_head:
            raise ValueError(f"n_embd {self.n_embd} is not a multiple of n_head {self.n_head}")
        if self.n_layer < 1:
            raise ValueError(f"n_layer {self.n_layer} is not 1 or more")
        if self.patch_size < 1 or self.block_size % self.patch_size:
            raise ValueError(
                f"block_size {self.block_size} is not a multiple of patch_size {self.patch_size}"
            )
        if not self.temperature > 0:
            raise ValueError(f"temperature {self.temperature} is not positive")
        if self.codebook_size is not None and self.codebook_size > self.vocab_size:
            raise ValueError(
                f"codebook_size {self.codebook_size} exceeds vocab_size {self.vocab_size}"
            )

    @property
    def audio_factor(self) -> int:
        """Audio steps a video frame."""
        return AUDIO_RATE if self.use_wav2vec2_feature else self.sound_factor

    @property
    def codes(self) -> int:
        """Number of codes that generation may emit."""
        return self.vocab_size if self.codebook_size is None else self.codebook_size
