"""Stage 2: the listener's next code from the speaker's motion and sound and the codes before.

(Learning2Listen, modules/fact_model.py and base_models.py.) The speaker's last 40 frames and the
listener's 4 codes of the 32 frames before give logits of the 4 codes of the 32 frames after; of
these, generation uses the first. Behaviours of the original are numbered as in
docs/learning2listen.md.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from jaxreact.nn.attention import layer_norm
from jaxreact.nn.dropout import Seed
from jaxreact.nn.normalisation import Normalisation
from jaxreact.nn.pooling import pool
from jaxreact.systems.learning2listen.blocks import (
    Block,
    CrossBlock,
    PositionTable,
    blocks,
    normal,
    through,
    through_cross,
)
from jaxreact.systems.learning2listen.config import (
    CODES,
    POSITIONS,
    SPEAKER_FRAMES,
    ListenerPredictorConfig,
)
from jaxreact.systems.learning2listen.convolutions import Norms, halvings, through_stages

_SPEAKER_LAYERS = 2

Visible = Int[Array, ""] | Int[Array, "batch"]
"""How many of the past codes are seen, the last ones; more than 4: all."""


class SpeakerStatistics(nnx.Module):
    """What the speaker's inputs are normalised by."""

    def __init__(self, config: ListenerPredictorConfig):
        self.motion = Normalisation(config.motion_dim)
        self.audio = Normalisation(config.audio_dim)


class Fusion(nnx.Module):
    """Listener and speaker side by side through blocks -> logits."""

    def __init__(self, config: ListenerPredictorConfig, *, rngs: nnx.Rngs):
        n = config.hidden_size
        self.cross_pos_embedding = PositionTable(POSITIONS, n)
        sizes = (config.num_attention_heads, config.intermediate_size)
        self.transformer_layer = blocks(config.num_hidden_layers, n, *sizes, normal, rngs)
        self.ln_norm = layer_norm(n, True, rngs)
        self.cross_output_layer = normal(n, config.n_embed, rngs, bias=False)

    def __call__(
        self,
        both: Float[Array, "batch 9 hidden"],
        mask: Bool[Array, "batch 1 9 9"] | None,
        only_first: bool = False,
    ) -> Float[Array, "batch positions codes"]:
        """Logits of all positions, or, at less cost, of the first one; float32."""
        x = self.cross_pos_embedding(both)
        last = _first_position if only_first else None
        x = self.ln_norm(self.transformer_layer(through, x, mask, final=last))
        return self.cross_output_layer(x).astype(jnp.float32)


def _first_position(
    block: Block, x: jax.Array, seed: Seed, mask: Bool[Array, "batch 1 9 9"] | None = None
) -> jax.Array:
    return block(x, None if mask is None else mask[:, :, :1], slice(1))


class ListenerPredictor(nnx.Module):
    """Speaker's branch, listener's branch, and both fused."""

    def __init__(self, config: ListenerPredictorConfig, *, rngs: nnx.Rngs):
        self.config = config
        n, wide = config.hidden_size, 2 * config.hidden_size
        # Is in the original and its checkpoints, though nothing ever goes through it (L8).
        self.listener_past_transformer = blocks(
            1, n, config.past_heads, config.past_intermediate_size, normal, rngs
        )
        self.listener_past_pos_embedding = PositionTable(CODES, n)
        self.listener_past_tok_embedding = nnx.Embed(
            config.n_embed, n, embedding_init=nnx.initializers.normal(0.02), rngs=rngs
        )
        self.audio_projector = normal(config.audio_dim, wide, rngs)
        self.audio_full_pos_embedding = PositionTable(SPEAKER_FRAMES, wide)
        self.motion_projector = normal(config.motion_dim, wide, rngs)
        self.motion_full_pos_embedding = PositionTable(SPEAKER_FRAMES, wide)
        sizes = (config.speaker_heads, config.speaker_intermediate_size)
        self.cm_transformer = blocks(_SPEAKER_LAYERS, wide, *sizes, normal, rngs, kind=CrossBlock)
        self.post_compressor = halvings(wide, wide, config.conv_padding, rngs)
        self.post_projector = normal(wide, n, rngs)
        self.cross_modal_layer = Fusion(config, rngs=rngs)
        self.statistics = SpeakerStatistics(config)

    def __call__(
        self,
        motion: Float[Array, "batch 40 channels"],
        audio: Float[Array, "batch steps features"],
        past: Int[Array, "batch 4"],
        visible: Visible | None,
        train: bool = False,
    ) -> tuple[Float[Array, "batch 9 codes"], Norms]:
        """Logits, and in training the norms' new statistics. Motion and audio are normalised;
        logits 0 to 3 are of the next window's codes, the others mean nothing.

        Without `visible`, the past goes through the layer that the original never runs (L8).
        """
        speaker, norms = self.speaker(motion, audio, train)
        return self.logits(speaker, past, visible), norms

    def speaker(
        self,
        motion: Float[Array, "batch 40 channels"],
        audio: Float[Array, "batch steps features"],
        train: bool = False,
    ) -> tuple[Float[Array, "batch 5 hidden"], Norms]:
        """The speaker's branch, which knows nothing of the listener. Sound only steers what is
        looked at: what comes out is motion (L6)."""
        heard = self.audio_projector(pool(audio, self.config.audio_rate))
        heard = self.audio_full_pos_embedding(heard)
        x = self.motion_full_pos_embedding(self.motion_projector(motion))
        x = self.cm_transformer(through_cross, x, heard)
        x, norms = through_stages(self.post_compressor, x, train)
        return self.post_projector(x), {"post_compressor": norms} if train else {}

    def logits(
        self,
        speaker: Float[Array, "batch 5 hidden"],
        past: Int[Array, "batch 4"],
        visible: Visible | None,
        only_first: bool = False,
    ) -> Float[Array, "batch positions codes"]:
        """Logits of all 9 positions, or of the first one alone, from the speaker's branch."""
        listener = self.listener_past_tok_embedding(past)
        mask = None
        if visible is None:
            listener = self.listener_past_pos_embedding(listener)
            listener = self.listener_past_transformer(through, listener)
        else:
            seen = jnp.broadcast_to(visible, past.shape[:1])
            shown = jnp.arange(CODES) >= CODES - seen[:, None]
            listener = jnp.where(shown[..., None], listener, 0.0)
            listener = self.listener_past_pos_embedding(listener)
            mask = _whole(may_look(seen))
        both = jnp.concatenate([listener.astype(speaker.dtype), speaker], axis=1)
        return self.cross_modal_layer(both, mask, only_first)


def may_look(visible: Int[Array, "batch"]) -> Bool[Array, "batch 4 4"]:
    """Which of the listener's positions looks at which.

    Hidden ones look at none; all others look at hidden ones too (L7), whose embedding is zero.
    """
    looks = jnp.arange(CODES) >= CODES - visible[:, None]
    return jnp.broadcast_to(looks[..., None], (len(visible), CODES, CODES))


def _whole(mask: Bool[Array, "batch 4 4"]) -> Bool[Array, "batch 1 9 9"]:
    """The same for all positions and heads: the speaker looks at all and is looked at by all."""
    beside = POSITIONS - CODES
    return jnp.pad(mask, ((0, 0), (0, beside), (0, beside)), constant_values=True)[:, None]
