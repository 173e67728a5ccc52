"""What BeLFusion's two stages minimise. Losses are float32 means over the whole batch."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxreact.nn.diffusion import cosine_schedule, noised
from jaxreact.systems.belfusion.config import Mode
from jaxreact.systems.belfusion.denoiser import Denoiser
from jaxreact.systems.belfusion.latent_space import decode, encode
from jaxreact.systems.belfusion.vae import EmotionVAE

Metrics = dict[str, jax.Array]

KL_WEIGHT = 1e-5
LATENT_WEIGHT = 10.0
DECODED_WEIGHT = 10.0


def vae_loss(
    model: EmotionVAE,
    emotion: Float[Array, "batch time 25"],
    coeffs: Float[Array, "batch time 58"],
    noise: Float[Array, "windows latent"] | None,
    mode: Mode = "corrected",
) -> tuple[Float[Array, ""], Metrics]:
    """Error of the emotion, of the coefficients (mean-subtracted), and the latents' divergence.

    The divergence is summed over a clip's windows (B15). In mode "original" the target of the
    coefficients is zero, as when the original trains: it learns the mean face (B11).
    """
    made = model(emotion, noise)
    target = jnp.zeros_like(coeffs) if mode == "original" else coeffs
    error = jnp.mean(jnp.square(made.emotion.astype(jnp.float32) - emotion))
    face = jnp.mean(jnp.square(made.coeffs.astype(jnp.float32) - target))
    mean, log_variance = (x.astype(jnp.float32) for x in (made.mean, made.log_variance))
    divergence = 1 + log_variance - jnp.square(mean) - jnp.exp(log_variance)
    kl = -0.5 * jnp.sum(divergence) / len(emotion)
    loss = error + KL_WEIGHT * kl + face
    return loss, {"loss": loss, "emotion_loss": error, "kl": kl, "coeffs_loss": face}


def best_of(
    latents: Float[Array, "batch samples latent"],
    target: Float[Array, "batch latent"],
    emotion: Float[Array, "batch samples time 25"],
    target_emotion: Float[Array, "batch time 25"],
) -> tuple[Float[Array, ""], Metrics]:
    """Absolute error of latents and squared error of emotion, each of its own best sample (B22)."""
    latent = jnp.mean(jnp.abs(latents - target[:, None]), axis=-1)
    felt = jnp.mean(jnp.square(emotion - target_emotion[:, None]), axis=(-2, -1))
    latent_loss, emotion_loss = (jnp.mean(_least(each)) for each in (latent, felt))
    loss = LATENT_WEIGHT * latent_loss + DECODED_WEIGHT * emotion_loss
    return loss, {"loss": loss, "latent_loss": latent_loss, "emotion_loss": emotion_loss}


def denoiser_loss(
    model: Denoiser,
    vae: EmotionVAE,
    speaker: Float[Array, "batch frames 25"],
    listener: Float[Array, "batch frames 25"],
    step: Int[Array, "batch"],
    noise: Float[Array, "batch samples latent"],
) -> tuple[Float[Array, ""], Metrics]:
    """Error of the best of some predictions of the listener's window.

    `speaker` is the window that the listener's answers, `step` the diffusion step of each pair;
    its samples share both, so that the network is told of them once. The target is the VAE's
    reconstruction, not the recorded emotion.
    """
    scaled = model.config.emb_preprocessing
    condition, target = jax.lax.stop_gradient(
        (encode(vae, speaker, scaled), encode(vae, listener, scaled))
    )
    target_emotion = jax.lax.stop_gradient(decode(vae, target, scaled))
    batch, samples, width = noise.shape
    start, steps = (jnp.repeat(x, samples, axis=0) for x in (target, step))
    schedule = cosine_schedule(model.config.diffusion_steps)
    x = noised(start, steps, noise.reshape(-1, width), schedule).reshape(noise.shape)
    latents = model(x, step[:, None], condition[:, None]).astype(jnp.float32)
    emotion = decode(vae, latents.reshape(-1, width), scaled).astype(jnp.float32)
    return best_of(
        latents,
        target,
        emotion.reshape(batch, samples, *emotion.shape[1:]),
        target_emotion.astype(jnp.float32),
    )


def _least(errors: Float[Array, "rows samples"]) -> Float[Array, "rows"]:
    """The smallest of each row's, whose gradient goes to the first of equals, as in torch; that of
    `jnp.min` divides by how many are equal, which may be none (see `nn/pooling.py`)."""
    best = jnp.argmin(errors, axis=1, keepdims=True)
    return jnp.take_along_axis(errors, best, axis=1)[:, 0]
