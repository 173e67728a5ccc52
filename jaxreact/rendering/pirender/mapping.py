"""PIRender's mapping network: a window of coefficients -> the descriptor of its middle frame."""

from flax import nnx
from jaxtyping import Array, Float

from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.convolution import INIT_STD
from jaxreact.rendering.pirender.norms import Descriptor, activate

DILATION = 3


class MappingNet(nnx.Module):
    """Convolutions over time without padding; float32 in any case, they cost next to nothing."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        def conv(inputs: int, outputs: int, width: int, dilation: int = 1) -> nnx.Conv:
            return nnx.Conv(
                inputs,
                outputs,
                kernel_size=width,
                kernel_dilation=dilation,
                padding="VALID",
                kernel_init=nnx.initializers.normal(INIT_STD),
                rngs=rngs,
            )

        size = config.descriptor_nc
        if config.input_nc != config.coeff_nc:
            self.pre = conv(config.input_nc, config.coeff_nc, 1)
        self.first = conv(config.coeff_nc, size, 7)
        self.layers = config.mapping_layer
        for layer in range(self.layers):
            setattr(self, f"encoder{layer}", conv(size, size, 3, DILATION))

    def __call__(self, window: Float[Array, "batch window coefficients"]) -> Descriptor:
        """Mean over the frames that the last layer leaves of the window."""
        x = self.pre(window) if hasattr(self, "pre") else window
        x = self.first(x)
        for layer in range(self.layers):
            conv = getattr(self, f"encoder{layer}")
            x = x[:, DILATION:-DILATION] + conv(activate(x))
        return x.mean(axis=1)
