"""Colours of HDR and wide gamut films as an ordinary screen shows them.

Light is taken back from the signal (ITU-R BT.2100: HLG with its system gamma for a screen of 1000
cd/m2, PQ as it stands), diffuse white (203 cd/m2, BT.2408) is brought near the screen's white, what
is brighter is rolled off, and colours outside sRGB's gamut are clipped. The signal of the screen is
a power of 2.4 (BT.1886), as films are graded for.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc
from jaxtyping import Float, UInt8, UInt16

DIFFUSE_WHITE = 203.0
"""cd/m2."""

_HLG_PEAK = 1000.0
_SCREEN_GAMMA = 2.4
_KNEE = 0.7  # of diffuse white: light above it is rolled off, and white comes out at 243 of 255

# Linear RGB to linear sRGB, from the chromaticities of each (D65 white in all).
_TO_SRGB: dict[int, np.ndarray] = {
    ColorPrimaries.BT2020: np.array(
        [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349],
         [-0.018151, -0.100579, 1.118730]], np.float32,
    ),
    ColorPrimaries.SMPTE432: np.array(  # Display P3
        [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],
        np.float32,
    ),
}  # fmt: skip

Convert = Callable[[UInt16[np.ndarray, "*size 3"]], UInt8[np.ndarray, "*size 3"]]


def conversion(transfer: int, primaries: int) -> Convert | None:
    """What makes 16 bit signals of a film 8 bit sRGB; None where they are as good as that."""
    is_hdr = transfer in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
    if not is_hdr and primaries not in _TO_SRGB:
        return None
    # HDR is defined with BT.2020's primaries, also where nothing is said of them.
    matrix = _TO_SRGB.get(primaries, _TO_SRGB[ColorPrimaries.BT2020])
    light = light_of(transfer)

    def convert(signal: np.ndarray) -> np.ndarray:
        linear = light[signal]
        if transfer == ColorTrc.ARIB_STD_B67:
            linear = _hlg_shown(linear)
        linear = np.maximum(linear @ matrix.T, 0)
        if is_hdr:
            linear = _rolled_off(linear)
        return _screen_signal()[(np.minimum(linear, 1) * 65535 + 0.5).astype(np.uint16)]

    return convert


@lru_cache
def light_of(transfer: int) -> Float[np.ndarray, "65536"]:
    """Light of each 16 bit signal. PQ: 1 is diffuse white. HLG: the scene's, 1 is its peak."""
    signal = np.arange(65536) / 65535
    if transfer == ColorTrc.SMPTE2084:
        root = signal ** (1 / 78.84375)
        light = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        light = 10000 * light ** (1 / 0.1593017578125) / DIFFUSE_WHITE
    elif transfer == ColorTrc.ARIB_STD_B67:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    else:
        light = signal**_SCREEN_GAMMA
    return light.astype(np.float32)


@lru_cache
def _screen_signal() -> UInt8[np.ndarray, "65536"]:
    signal = 255 * (np.arange(65536) / 65535) ** (1 / _SCREEN_GAMMA)
    return np.round(signal).astype(np.uint8)


def _hlg_shown(scene: np.ndarray) -> np.ndarray:
    """The light of a screen of 1000 cd/m2, 1 being diffuse white (BT.2100, table 5)."""
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    gain = np.maximum(luminance, 1e-6) ** np.float32(0.2) * np.float32(_HLG_PEAK / DIFFUSE_WHITE)
    return scene * gain[..., None]


def _rolled_off(linear: np.ndarray) -> np.ndarray:
    """Light below 1, hues kept: nothing changes up to the knee, all above fits into the rest."""
    brightest = linear.max(axis=-1, keepdims=True)
    over = np.maximum(brightest - _KNEE, 0) / (1 - _KNEE)
    wanted = np.minimum(brightest, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over))
    return linear * (wanted / np.maximum(brightest, 1e-6))
