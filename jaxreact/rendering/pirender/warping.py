"""PIRender's warping network: portrait and descriptor -> a flow.

The portrait is encoded down to 1/32 of its side and decoded up to 1/4, every layer steered by the
descriptor. The checkpoint calls this network `warpping_net`.
"""

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.convolution import Conv, Feature, Mapped, Shared, TransposedConv
from jaxreact.rendering.pirender.norms import (
    ADAIN,
    Descriptor,
    LayerNorm2d,
    activate,
    instance_norm,
)
from jaxreact.rendering.pirender.warp import Flow, Image


class EncoderBlock(nnx.Module):
    """Half the size."""

    def __init__(self, config: FaceGeneratorConfig, inputs: int, outputs: int, *, rngs: nnx.Rngs):
        self.norm_0 = ADAIN(config, inputs, rngs=rngs)
        self.conv_0 = Conv(inputs, outputs, 4, stride=2, rngs=rngs)
        self.norm_1 = ADAIN(config, outputs, rngs=rngs)
        self.conv_1 = Conv(outputs, outputs, 3, rngs=rngs)

    def __call__(self, normed: Shared, descriptor: Descriptor) -> Mapped:
        """Takes what `instance_norm` gave, since the descriptor has no part in that."""
        x = self.conv_0(activate(self.norm_0.modulate(normed, descriptor)))
        return self.conv_1(activate(self.norm_1(x, descriptor)))


class DecoderBlock(nnx.Module):
    """Twice the size."""

    def __init__(self, config: FaceGeneratorConfig, inputs: int, outputs: int, *, rngs: nnx.Rngs):
        self.norm_0 = ADAIN(config, inputs, rngs=rngs)
        self.conv_0 = Conv(inputs, outputs, 3, rngs=rngs)
        self.norm_1 = ADAIN(config, outputs, rngs=rngs)
        self.conv_1 = TransposedConv(outputs, outputs, rngs=rngs)
        self.norm_s = ADAIN(config, inputs, rngs=rngs)
        self.conv_s = TransposedConv(inputs, outputs, rngs=rngs)

    def __call__(self, x: Feature, descriptor: Descriptor) -> Mapped:
        """Two convolutions, and a short cut of one beside them."""
        normed = instance_norm(x)
        y = self.conv_0(activate(self.norm_0.modulate(normed, descriptor)))
        y = self.conv_1(activate(self.norm_1(y, descriptor)))
        return y + self.conv_s(activate(self.norm_s.modulate(normed, descriptor)))


class Encoder(nnx.Module):
    """The portrait at every size from 1/2 down."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        self.input_layer = Conv(3, config.warping_nc(0), 7, rngs=rngs)
        self.layers = config.warping_encoder_layer
        for layer in range(self.layers):
            inputs, outputs = config.warping_nc(layer), config.warping_nc(layer + 1)
            setattr(self, f"encoder{layer}", EncoderBlock(config, inputs, outputs, rngs=rngs))

    def source(self, image: Image) -> Feature:
        """As far as the portrait goes without the descriptor."""
        return instance_norm(self.input_layer(image))

    def __call__(self, source: Shared, descriptor: Descriptor) -> list[Array]:
        """Largest first, each a `Feature`."""
        outputs: list[Array] = []
        for layer in range(self.layers):
            normed = instance_norm(outputs[-1]) if outputs else source
            outputs.append(getattr(self, f"encoder{layer}")(normed, descriptor))
        return outputs


class Decoder(nnx.Module):
    """From the smallest size up, beside the encoder's output of each size."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        top, count = config.warping_encoder_layer - 1, config.warping_decoder_layer
        self.layers = tuple(range(top, top - count, -1))
        inputs = config.warping_nc(top + 1)
        for layer in self.layers:
            outputs = config.warping_nc(layer)
            setattr(self, f"decoder{layer}", DecoderBlock(config, inputs, outputs, rngs=rngs))
            inputs = 2 * outputs
        self.channels = inputs

    def __call__(self, encoded: list[Array], descriptor: Descriptor) -> Feature:
        """`encoded` holds the sizes 1/2, 1/4, ...; what comes out has `channels`."""
        x = encoded[-1]
        for layer in self.layers:
            x = getattr(self, f"decoder{layer}")(x, descriptor)
            x = jnp.concatenate([x, encoded[layer - 1]], axis=-1)
        return x


class Hourglass(nnx.Module):
    """Encoder and decoder."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        self.encoder = Encoder(config, rngs=rngs)
        self.decoder = Decoder(config, rngs=rngs)

    def __call__(self, source: Shared, descriptor: Descriptor) -> Mapped:
        """Features at the flow's size."""
        return self.decoder(self.encoder(source, descriptor), descriptor)


class FlowOut(nnx.Module):
    """Features -> flow."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.norm = LayerNorm2d(channels)
        self.conv = Conv(channels, 2, 7, rngs=rngs)

    def __call__(self, x: Feature) -> Flow:
        """float32, in pixels of its own map, x first."""
        return self.conv(activate(self.norm(x))).astype(jnp.float32)


class WarpingNet(nnx.Module):
    """Portrait and descriptor -> flow at a fourth of the portrait's size."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        self.hourglass = Hourglass(config, rngs=rngs)
        self.flow_out = FlowOut(self.hourglass.decoder.channels, rngs=rngs)

    def source(self, image: Image) -> Feature:
        """What depends on the portrait alone."""
        return self.hourglass.encoder.source(image)

    def __call__(self, source: Shared, descriptor: Descriptor) -> Flow:
        """float32, in pixels of its own map, x first."""
        return self.flow_out(self.hourglass(source, descriptor))
