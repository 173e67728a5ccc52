"""PIRender's editing network: portrait, warped portrait and descriptor -> the picture."""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.convolution import Conv, Feature, Mapped, Shared, UpConv
from jaxreact.rendering.pirender.norms import ADAIN, Descriptor, LayerNorm2d, activate
from jaxreact.rendering.pirender.warp import Image


class NormedConv(nnx.Module):
    """Convolution, norm, activation."""

    def __init__(self, conv: Conv, outputs: int):
        self.conv = conv
        self.norm = LayerNorm2d(outputs)

    def __call__(self, x: Feature) -> Mapped:
        """The size is the convolution's."""
        return activate(self.norm(self.conv(x)))


class ResidualBlock(nnx.Module):
    """Two convolutions steered by the descriptor, beside the identity."""

    def __init__(self, config: FaceGeneratorConfig, channels: int, *, rngs: nnx.Rngs):
        self.conv1 = Conv(channels, channels, 3, rngs=rngs)
        self.norm1 = ADAIN(config, channels, rngs=rngs)
        self.conv2 = Conv(channels, channels, 3, rngs=rngs)
        self.norm2 = ADAIN(config, channels, rngs=rngs)

    def __call__(self, x: Feature, descriptor: Descriptor) -> Feature:
        """No activation follows the sum."""
        y = activate(self.norm1(self.conv1(x), descriptor))
        return self.norm2(self.conv2(y), descriptor) + x


class Residuals(nnx.Module):
    """Residual blocks of one size."""

    def __init__(self, config: FaceGeneratorConfig, channels: int, *, rngs: nnx.Rngs):
        self.count = config.editing_num_res_blocks
        for number in range(self.count):
            setattr(self, f"res{number}", ResidualBlock(config, channels, rngs=rngs))

    def __call__(self, x: Feature, descriptor: Descriptor) -> Feature:
        """One after the other."""
        for number in range(self.count):
            x = getattr(self, f"res{number}")(x, descriptor)
        return x


class Encoder(nnx.Module):
    """Portrait and warped portrait at every size."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        base = config.editing_nc(0)
        self.first = NormedConv(Conv(6, base, 7, rngs=rngs), base)
        self.layers = config.editing_layer
        for layer in range(self.layers):
            inputs, outputs = config.editing_nc(layer), config.editing_nc(layer + 1)
            conv = Conv(inputs, outputs, 3, rngs=rngs)
            setattr(self, f"down{layer}", NormedConv(conv, outputs))

    def source(self, image: Image) -> Feature:
        """The portrait's share of the first layer's sum, which is linear."""
        return self.first.conv.partial(image)

    def __call__(self, source: Shared, warped: Image) -> list[Array]:
        """Features, largest first; each halving averages 2 x 2 pixels."""
        first = self.first.conv
        x = source + first.partial(warped, after=3)
        outputs = [activate(self.first.norm(x + first.bias[...].astype(x.dtype)))]
        for layer in range(self.layers):
            x = getattr(self, f"down{layer}")(outputs[-1])
            outputs.append(nnx.avg_pool(x, (2, 2), (2, 2)))
        return outputs


class Decoder(nnx.Module):
    """From the smallest size up to the picture."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        self.layers = tuple(reversed(range(config.editing_layer)))
        for layer in self.layers:
            inputs, outputs = config.editing_nc(layer + 1), config.editing_nc(layer)
            setattr(self, f"res{layer}", Residuals(config, inputs, rngs=rngs))
            up, jump = UpConv(inputs, outputs, rngs=rngs), Conv(outputs, outputs, 3, rngs=rngs)
            setattr(self, f"up{layer}", NormedConv(up, outputs))
            setattr(self, f"jump{layer}", NormedConv(jump, outputs))
        self.final = Conv(config.editing_nc(0), 3, 7, rngs=rngs)

    def __call__(self, encoded: list[Array], descriptor: Descriptor) -> Image:
        """float32, in [-1, 1]."""
        x = encoded[-1]
        for layer in self.layers:
            x = getattr(self, f"res{layer}")(x, descriptor)
            x = getattr(self, f"up{layer}")(x) + getattr(self, f"jump{layer}")(encoded[layer])
        return jnp.tanh(self.final(x).astype(jnp.float32))


class EditingNet(nnx.Module):
    """Fills in what the warp could not show."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        self.encoder = Encoder(config, rngs=rngs)
        self.decoder = Decoder(config, rngs=rngs)

    def source(self, image: Image) -> Feature:
        """What depends on the portrait alone."""
        return self.encoder.source(image)

    def __call__(self, source: Shared, warped: Image, descriptor: Descriptor) -> Image:
        """float32, in [-1, 1]."""
        return self.decoder(self.encoder(source, warped), descriptor)
