"""What run directories of Trans-VAE hold."""

from jaxreact.runs import Kind
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.model import TransVAE

TRANS_VAE = Kind("trans-vae", TransVAEConfig, TransVAE)
