"""Trans-VAE (the baseline of REACT2023 and REACT2024): a latent of the whole speaker, decoded.

Offline, one latent is the reaction to a clip. Online the clip is cut into windows. Each has a
latent of its own, of the speaker until its end and of the reaction until its beginning, and the
reaction before goes on.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, Int, UInt8

from jaxreact.face import COEFFS, EMOTION_CHANNELS
from jaxreact.nn.dropout import Seed, split
from jaxreact.nn.uniform import uniform_linear
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.decoder import Face, Past, ReactionDecoder
from jaxreact.systems.trans_vae.latent import Gaussian
from jaxreact.systems.trans_vae.speaker_encoder import Perceived, SpeakerEncoder, beginning

_LENGTHS = 8
"""So many different lengths of the past are computed with, each padded to the next one. More take
longer to compile and compute less: in the limit an eighth less."""
_LEAST = 2
"""Windows of one length, at least."""
_TOKENS = "tokens"


class Reaction(NamedTuple):
    """Some samples of reactions to each speaker, and what their latents were drawn from."""

    face: Face
    """Rows are (batch, samples)."""
    latent: Gaussian
    """Rows are (batch, samples, windows); one window offline."""


class TransVAE(nnx.Module):
    """Both variants; only the online one has what feeds the past back."""

    def __init__(self, config: TransVAEConfig, *, rngs: nnx.Rngs):
        n = config.features
        self.config = config
        self.speaker_behaviour_encoder = SpeakerEncoder(n, rngs=rngs)
        self.reaction_decoder = ReactionDecoder(config, rngs=rngs)
        # Exists offline too, unused and untrained (behaviour B20).
        self.fusion = uniform_linear(n + COEFFS + EMOTION_CHANNELS, n, rngs)

    def __call__(
        self,
        video: UInt8[Array, "batch time height width 3"]
        | Float[Array, "batch time height width 3"],
        audio: Float[Array, "batch time 78"],
        noise: Float[Array, "batch samples windows features"],
        seed: Seed = None,
    ) -> Reaction:
        """Reactions to speakers, as many samples as there is noise for.

        Pictures are bytes, or numbers in [-1, 1]. `noise` is standard normal, for each of
        `windows_of(config, time)` windows. With a seed, dropout is as in training, and another one
        in each sample.
        """
        clips = len(audio)
        if clips == 1 or jax.default_backend() != "cpu":
            return self._together(video, audio, noise, seed)
        # One clip keeps a processor busy, and what is between its layers leaves room for no other.
        seeds = None if seed is None else jnp.stack(split(seed, clips))  # pyright: ignore
        apart = jax.tree.map(lambda x: x[:, None], (video, audio, noise))

        def one(given: tuple) -> Reaction:
            return self._together(*given)

        each = jax.lax.map(one, (*apart, seeds))
        return jax.tree.map(lambda x: x[:, 0], each)

    def _together(
        self, video: jax.Array, audio: jax.Array, noise: jax.Array, seed: Seed
    ) -> Reaction:
        perceived = self.speaker_behaviour_encoder.perceive(video, audio)
        if self.config.online:
            return self._chain(perceived, video.shape[1], noise, seed)
        return self._once(perceived, noise, seed)

    def _once(self, perceived: Perceived, noise: jax.Array, seed: Seed) -> Reaction:
        """One pass over the clip. The latent's distribution is the same for all samples, but for
        dropout."""
        look, decode = split(seed, 2)
        batch, samples = noise.shape[:2]
        tokens = self.speaker_behaviour_encoder(perceived)
        looks = 1 if seed is None else samples
        found = self.reaction_decoder.vae_model(tokens.repeat(looks, axis=0), seed=look)
        each = (part.reshape(batch, looks, -1).repeat(samples // looks, axis=1) for part in found)
        latent = Gaussian(*each)
        drawn = latent.at(noise[:, :, 0]).reshape(batch * samples, -1)
        face = self.reaction_decoder(drawn, tokens.shape[1], seed=decode)
        return Reaction(
            Face(*(part.reshape(batch, samples, *part.shape[1:]) for part in face)),
            Gaussian(*(part[:, :, None] for part in latent)),
        )

    def _chain(self, perceived: Perceived, frames: int, noise: jax.Array, seed: Seed) -> Reaction:
        """Window by window. Frames after the last window stay zero, or are answered as if the last
        one stood still: `config.mode`."""
        window, windows = self.config.window, windows_of(self.config, frames)
        perceived = _standing_still(perceived, windows * window)
        batch, samples = noise.shape[:2]
        face, latents = no_face(batch, samples, 0), []
        begin, lengths = 0, max(min(_LENGTHS, windows // _LEAST), 1)
        for number in range(1, lengths + 1):
            end = -(-windows * number // lengths)
            if begin < end:
                own = None if seed is None else split(seed, lengths)[number - 1]
                drawn = noise[:, :, begin:end]
                face, latent = self._windows(perceived, face, begin, end, drawn, own)
                latents.append(latent)
                begin = end
        if not latents:
            latents = [Gaussian(noise[:, :, :0], noise[:, :, :0])]
        missing = frames - windows * window
        pads = ((0, 0), (0, 0), (0, max(0, missing)), (0, 0))
        face = Face(*(jnp.pad(part[:, :, :frames], pads) for part in face))
        return Reaction(
            face, Gaussian(*(jnp.concatenate(p, axis=2) for p in zip(*latents, strict=True)))
        )

    def _windows(
        self, perceived: Perceived, face: Face, begin: int, end: int, noise: jax.Array, seed: Seed
    ) -> tuple[Face, Gaussian]:
        """Some windows after each other, all computed with room for the last one's past."""
        room = end * self.config.window
        face = with_room(face, room)
        seeds = None if seed is None else jnp.stack(split(seed, end - begin))  # pyright: ignore

        def step(face: Face, given: tuple) -> tuple[Face, Gaussian]:
            # Cut out here, where it is not kept for the way back.
            return self.window(beginning(perceived, room), face, *given)

        if self.config.remat:  # each window's reaction is kept for the way back, and its tokens
            kept = jax.checkpoint_policies.save_only_these_names(_TOKENS)
            step = jax.checkpoint(step, policy=kept)
        given = (jnp.arange(begin, end), jnp.moveaxis(noise, 2, 0), seeds)
        face, latent = jax.lax.scan(step, face, given)
        return face, Gaussian(*(jnp.moveaxis(part, 0, 2) for part in latent))

    def window(
        self,
        perceived: Perceived,
        face: Face,
        number: Int[Array, ""],
        noise: Float[Array, "batch samples features"],
        seed: Seed = None,
    ) -> tuple[Face, Gaussian]:
        """One more window: the reaction with it, and its latent's distribution.

        `perceived` and `face` have room for more frames; only those before the window's end, and
        before its beginning, are looked at. The face is zero after that. The speaker is encoded
        once for all samples.
        """
        look, decode = split(seed, 2)
        size, (batch, samples, room) = self.config.window, face.coeffs.shape[:3]
        frame = jnp.arange(room)
        given = frame < (number + 1) * size
        tokens = self.speaker_behaviour_encoder(perceived, given, self.config.remat)
        tokens = checkpoint_name(tokens, _TOKENS)  # most of the work, and little to keep
        tokens = jnp.broadcast_to(tokens[:, None], (batch, samples, *tokens.shape[1:]))
        fused = self.fusion(jnp.concatenate([tokens, *face], axis=-1))
        rows = batch * samples
        mask = jnp.broadcast_to(given, (rows, room))
        latent = self.reaction_decoder.vae_model(fused.reshape(rows, room, -1), mask, look)
        drawn = latent.at(noise.reshape(rows, -1))
        past = Past(face.coeffs.reshape(rows, room, -1), frame < number * size)
        new = self.reaction_decoder(drawn, size, past, decode)
        start = (0, 0, number * size, 0)

        def put(old: jax.Array, part: jax.Array) -> jax.Array:
            part = part.reshape(batch, samples, *part.shape[1:])
            return jax.lax.dynamic_update_slice(old, part, start)

        apart = Gaussian(*(part.reshape(batch, samples, -1) for part in latent))
        return Face(*map(put, face, new)), apart


def windows_of(config: TransVAEConfig, frames: int) -> int:
    """Latents of a reaction to so many frames."""
    if not config.online:
        return 1
    whole, rest = divmod(frames, config.window)
    return whole + (rest > 0 and config.mode == "corrected")


def no_face(batch: int, samples: int, frames: int) -> Face:
    """What stands in the place of frames that are not there yet."""
    shape = (batch, samples, frames)
    return Face(jnp.zeros((*shape, COEFFS)), jnp.zeros((*shape, EMOTION_CHANNELS)))


def with_room(face: Face, frames: int) -> Face:
    """The same and zeros, so many frames in all."""
    missing = frames - face.coeffs.shape[2]
    return Face(*(jnp.pad(part, ((0, 0), (0, 0), (0, missing), (0, 0))) for part in face))


def _standing_still(perceived: Perceived, frames: int) -> Perceived:
    """So many frames, the last one repeated where there are fewer."""
    have = perceived.audio.shape[1]
    kept = beginning(perceived, min(have, frames))
    if frames <= have:
        return kept

    def repeat(x: jax.Array) -> jax.Array:
        pads = ((0, 0), (0, frames - have)) + ((0, 0),) * (x.ndim - 2)
        return jnp.pad(x, pads, mode="edge")

    seen = kept.seen._replace(
        pooled=repeat(kept.seen.pooled), moments=jax.tree.map(repeat, kept.seen.moments)
    )
    return Perceived(seen, repeat(kept.audio))
