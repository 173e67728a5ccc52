"""Sizes of PIRender's face generator, in the original's names."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FaceGeneratorConfig:
    """The defaults are the challenge baseline's; `UPSTREAM` is PIRender's own.

    - `input_nc`: coefficients of a frame. Where it differs from `coeff_nc`, a first layer maps one
      to the other: 58 of FaceVerse (`jaxreact.face`) come in the place of 73 of the Basel model.
    - `coeff_nc`: coefficients that the mapping network was made for.
    - `semantic_radius`: frames before and after a frame that its window holds.
    - `descriptor_nc`: size of what the window is mapped to, which steers the other two networks.
    - `mlp_nc`: hidden size between the descriptor and the scales and shifts of a norm.
    - `base_nc`, `max_nc`: channels at full resolution; each halving doubles them, up to the most.
    """

    input_nc: int = 58
    coeff_nc: int = 73
    semantic_radius: int = 13
    descriptor_nc: int = 256
    mapping_layer: int = 3
    mlp_nc: int = 128
    max_nc: int = 256
    warping_base_nc: int = 32
    warping_encoder_layer: int = 5
    warping_decoder_layer: int = 3
    editing_base_nc: int = 64
    editing_layer: int = 3
    editing_num_res_blocks: int = 2

    def __post_init__(self) -> None:
        sizes = {name: value for name, value in vars(self).items() if value < 1}
        if sizes:
            raise ValueError(f"sizes are 1 or more: {sizes}")
        if self.warping_decoder_layer >= self.warping_encoder_layer:
            raise ValueError(
                f"warping_decoder_layer: {self.warping_decoder_layer} is not less than"
                f" warping_encoder_layer, {self.warping_encoder_layer}"
            )
        # The layers without padding: 7 taps, then 3 taps, 3 apart, in each of the others.
        if self.window <= 6 * (self.mapping_layer + 1):
            raise ValueError(
                f"semantic_radius: a window of {self.window} frames is too short for"
                f" {self.mapping_layer} layers"
            )

    @property
    def window(self) -> int:
        """Frames of a window."""
        return 2 * self.semantic_radius + 1

    @property
    def multiple(self) -> int:
        """Height and width of a picture are multiples of this."""
        return 2 ** max(self.warping_encoder_layer, self.editing_layer)

    def warping_nc(self, layer: int) -> int:
        """Channels of the warping network after so many halvings."""
        return min(self.warping_base_nc * 2**layer, self.max_nc)

    def editing_nc(self, layer: int) -> int:
        """Channels of the editing network after so many halvings."""
        return min(self.editing_base_nc * 2**layer, self.max_nc)


UPSTREAM = FaceGeneratorConfig(input_nc=73)
"""PIRender as published: 73 coefficients of the Basel Face Model."""
