"""FIBER: the listener's next codes from the speaker's voice and face and the listener's past."""

import jax
from flax import nnx
from jaxtyping import Array, Bool, Float, Int

from jaxreact.nn.attend import Mask
from jaxreact.nn.attention import linear, residual_std
from jaxreact.nn.dropout import Seed, seed_of, split
from jaxreact.nn.pooling import pool
from jaxreact.systems.fiber.config import AUDIO_FEATURES, SPECIAL_TOKENS, PredictorConfig
from jaxreact.systems.fiber.streams import ListenerDecoder, SpeakerEncoder, run
from jaxreact.systems.fiber.traits import TraitsEmbed


class ReactPredictor(nnx.Module):
    """The predictor (behaviours 20-30). Masks are True where attended; `None` masks nothing."""

    def __init__(self, config: PredictorConfig, *, rngs: nnx.Rngs):
        self.config = config
        self.sp_cm_transformer = SpeakerEncoder(config, rngs=rngs)
        if config.use_wav2vec2_feature:
            # Its name ends in c_proj, so the original gives it the residual deviation (26).
            self.wav2vec2_c_proj = linear(
                AUDIO_FEATURES, config.n_embd, True, rngs, residual_std(config)
            )
        self.lt_cm_transformer = ListenerDecoder(config, rngs=rngs)
        tokens = config.vocab_size + SPECIAL_TOKENS
        self.lm_head = linear(config.n_embd, tokens, False, rngs, config.init_std)
        if config.traits:  # last, so that all else begins as without
            self.listener_traits = TraitsEmbed(config.n_embd, rngs=rngs)

    def __call__(
        self,
        audio: Float[Array, "batch audio 512"] | Int[Array, "batch audio"],
        speaker_tokens: Int[Array, "batch time"],
        listener_tokens: Int[Array, "batch time"],
        audio_mask: Bool[Array, "batch audio"] | None = None,
        speaker_mask: Mask = None,
        listener_mask: Mask = None,
        key: jax.Array | None = None,
        traits: Float[Array, "batch 5"] | None = None,
    ) -> Float[Array, "batch time vocabulary"]:
        """Logits of all positions; position t speaks of the listener's token at t + patch_size.

        `audio` has `audio_factor` steps a frame: features, or, without `use_wav2vec2_feature`,
        tokens. `key` switches dropout on. `traits`: of the listeners, as `listener` takes them.
        """
        speaker_seed, listener_seed = split(seed_of(key), 2)
        speaker = self.speaker(audio, speaker_tokens, audio_mask, speaker_mask, speaker_seed)
        hidden = self.listener(
            listener_tokens,
            speaker,
            listener_mask,
            speaker_mask,
            seed=listener_seed,
            traits=traits,
        )
        return self.lm_head(hidden)

    def speaker(
        self,
        audio: jax.Array,
        tokens: jax.Array,
        audio_mask: Bool[Array, "batch audio"] | None = None,
        mask: Mask = None,
        seed: Seed = None,
    ) -> Float[Array, "batch time n_embd"]:
        """Everything that depends on the speaker alone: encoder, then the decoder's own blocks."""
        encoder_seed, decoder_seed = split(seed, 2)
        encoder = self.sp_cm_transformer
        if self.config.use_wav2vec2_feature:
            sound = self.wav2vec2_c_proj(audio)
        else:
            sound = encoder.wte_sound(audio)
        sound_mask = None if audio_mask is None else pool(audio_mask, self.config.audio_factor)
        fused = encoder(sound, tokens, sound_mask, mask, encoder_seed)
        blocks = self.lt_cm_transformer.h_speaker
        return run(blocks, fused, sound_mask, decoder_seed, self.config.remat)

    def listener(
        self,
        tokens: Int[Array, "batch time"],
        speaker: Float[Array, "batch time n_embd"],
        mask: Mask = None,
        speaker_mask: Mask = None,
        start: int = 0,
        seed: Seed = None,
        last: int | None = None,
        traits: Float[Array, "batch 5"] | None = None,
    ) -> Float[Array, "batch last n_embd"]:
        """The decoder's output before `lm_head`, of all positions or of the `last` ones.

        The first token stands at position `start`. A model of listeners' traits must be given
        these, NaN where nobody knows them, and others must not.
        """
        person = None if traits is None else self.listener_traits(traits)
        return self.lt_cm_transformer(
            tokens, speaker, mask, speaker_mask, start, seed, last, person
        )
