"""What run directories of BeLFusion's two models hold."""

from jaxreact.runs import Kind
from jaxreact.systems.belfusion.config import DenoiserConfig, EmotionVAEConfig
from jaxreact.systems.belfusion.denoiser import Denoiser
from jaxreact.systems.belfusion.vae import EmotionVAE

VAE = Kind("belfusion/vae", EmotionVAEConfig, EmotionVAE)
DENOISER = Kind("belfusion/denoiser", DenoiserConfig, Denoiser)
