"""PIRender's face generator: one portrait and a window of face coefficients -> the face in motion.

Written from a description of the architecture. PIRender's own code and weights, and so weights
converted from them, are licensed CC BY-NC 4.0: not for commercial use.

Attribute names follow the torch names, so that conversion is a table. Pictures are channels last.

Source: Ren et al. 2021, "PIRenderer: controllable portrait image generation via semantic neural
rendering", ICCV, arXiv:2109.08379.
"""

from typing import Any, NamedTuple

from flax import nnx
from jaxtyping import Array, Float

from jaxreact.rendering.pirender.config import FaceGeneratorConfig
from jaxreact.rendering.pirender.convolution import Conv, Feature, TransposedConv
from jaxreact.rendering.pirender.editing import EditingNet
from jaxreact.rendering.pirender.mapping import MappingNet
from jaxreact.rendering.pirender.warp import Flow, Image, Neighbours, neighbours, positions, sample
from jaxreact.rendering.pirender.warping import WarpingNet


class Source(NamedTuple):
    """All that is computed from the portrait alone, once for a clip."""

    neighbours: Neighbours
    warping: Feature
    editing: Feature


class Pictures(NamedTuple):
    """What the generator makes, all float32.

    - `flow` at a fourth of the picture's size, in pixels of that size, x first.
    - `warped`: the portrait moved by it.
    - `fake`: the picture, in [-1, 1].
    """

    flow: Flow
    warped: Image
    fake: Image


class FaceGenerator(nnx.Module):
    """Mapping, warping and editing networks."""

    def __init__(self, config: FaceGeneratorConfig, *, rngs: nnx.Rngs):
        self.config = config
        self.mapping_net = MappingNet(config, rngs=rngs)
        self.warpping_net = WarpingNet(config, rngs=rngs)
        self.editing_net = EditingNet(config, rngs=rngs)

    def source(self, image: Image) -> Source:
        """Portraits in [-1, 1] -> what `render` takes.

        Raises ValueError unless height and width are multiples of `config.multiple`.
        """
        multiple = self.config.multiple
        if image.shape[1] % multiple or image.shape[2] % multiple:
            raise ValueError(f"a portrait of {image.shape[1:3]}: sides are multiples of {multiple}")
        return Source(
            neighbours(image), self.warpping_net.source(image), self.editing_net.source(image)
        )

    def render(self, source: Source, window: Float[Array, "many window coefficients"]) -> Pictures:
        """The face of each portrait, or of the only one, in the middle frame of each window.

        Coefficients are *raw* (the mean is in them) and not scaled, `config.window` frames.
        """
        height, width = (side - 1 for side in source.neighbours.shape[1:3])
        descriptor = self.mapping_net(window)
        flow = self.warpping_net(source.warping, descriptor)
        warped = sample(source.neighbours, positions(flow, height, width))
        return Pictures(flow, warped, self.editing_net(source.editing, warped, descriptor))

    def __call__(self, image: Image, window: Float[Array, "batch window coefficients"]) -> Pictures:
        """`render` of portraits seen once."""
        return self.render(self.source(image), window)

    def prepared(self, dtype: Any, *, on_processor: bool) -> "FaceGenerator":
        """The same network with its kernels rewritten for many pictures, in place.

        `dtype` is what convolutions of pictures compute in; norms, the mapping network and the
        warp stay float32. `on_processor`: whether that is where it will run. Such a network has no
        use but rendering.
        """
        for _, module in nnx.iter_modules(self):
            if isinstance(module, (Conv, TransposedConv)):
                module.prepare(dtype, on_processor)
        return self
