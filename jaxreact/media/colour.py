"""Colours of HDR and wide gamut films as an ordinary screen shows them.

Light is taken back from the signal (ITU-R BT.2100: HLG with its system gamma for a screen of 1000
cd/m2, PQ as it stands), diffuse white (203 cd/m2, BT.2408) is brought near the screen's white, what
is brighter is rolled off, and colours outside sRGB's gamut are clipped. The signal of the screen is
a power of 2.4 (BT.1886), as films are graded for.
"""

from fractions import Fraction
from functools import lru_cache
from tempfile import NamedTemporaryFile
from threading import Lock

import av
import numpy as np
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, ColorTrc
from jaxtyping import Float, UInt8

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

_GRID = 65
"""Points a side of the table by which pictures are converted: a quarter of the formulas' time."""


class Conversion:
    """Makes a film's RGB pictures those of a screen, by a table that FFmpeg interpolates.

    It does so within tetrahedra along the greys, on which the formulas have an edge.
    """

    def __init__(self, transfer: int, primaries: int) -> None:
        self._table = _table(transfer, primaries)
        self._graphs: dict[tuple[int, int], Graph] = {}
        self._lock = Lock()  # films are read in several threads, and a graph holds one picture

    def __call__(self, frame: av.VideoFrame) -> UInt8[np.ndarray, "height width 3"]:
        """A frame of RGB with 16 bits -> pixels."""
        size = frame.width, frame.height
        with self._lock:
            if size not in self._graphs:
                self._graphs[size] = self._graph(*size)
            graph = self._graphs[size]
            frame.pts = None
            graph.push(frame)
            return graph.pull().to_ndarray()

    def _graph(self, width: int, height: int) -> Graph:
        graph, deep = Graph(), av.VideoFormat("rgb48le", width, height)
        with NamedTemporaryFile("w", suffix=".cube", encoding="ascii") as file:
            file.write(self._table)
            file.flush()
            graph.link_nodes(
                graph.add_buffer(
                    width=width, height=height, format=deep, time_base=Fraction(1, 1000)
                ),
                graph.add("lut3d", file=file.name),
                graph.add("format", pix_fmts="rgb24"),
                graph.add("buffersink"),
            ).configure()
        return graph


@lru_cache
def conversion(transfer: int, primaries: int) -> Conversion | None:
    """What makes pictures of such a film those of a screen; None where they are."""
    is_hdr = transfer in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
    return Conversion(transfer, primaries) if is_hdr or primaries in _TO_SRGB else None


@lru_cache
def _table(transfer: int, primaries: int) -> str:
    """All of `shown` as a file of the kind "cube", of which red changes fastest."""
    levels = np.linspace(0, 1, _GRID)
    blue, green, red = np.meshgrid(levels, levels, levels, indexing="ij")
    rows = shown(np.stack([red, green, blue], axis=-1), transfer, primaries).reshape(-1, 3)
    lines = (f"{r:.6f} {g:.6f} {b:.6f}\n" for r, g, b in rows.tolist())
    return f"LUT_3D_SIZE {_GRID}\n" + "".join(lines)


def shown(
    signal: Float[np.ndarray, "*size 3"], transfer: int, primaries: int
) -> Float[np.ndarray, "*size 3"]:
    """The screen's RGB signal in [0, 1] for a film's. HDR has BT.2020's primaries by default."""
    matrix = _TO_SRGB.get(primaries, _TO_SRGB[ColorPrimaries.BT2020])
    matrix = matrix / matrix.sum(axis=1, keepdims=True)  # white stays white to the last digit
    linear = light_of(signal, transfer)
    if transfer == ColorTrc.ARIB_STD_B67:
        linear = _hlg_shown(linear)
    linear = np.maximum(linear @ matrix.T, 0)
    if transfer in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67):
        linear = _rolled_off(linear)
    return np.minimum(linear, 1) ** (1 / _SCREEN_GAMMA)


def light_of(signal: Float[np.ndarray, "*size"], transfer: int) -> Float[np.ndarray, "*size"]:
    """Light of signals in [0, 1]. PQ: 1 is diffuse white. HLG: the scene's, 1 is its peak."""
    if transfer == ColorTrc.SMPTE2084:
        root = signal ** (1 / 78.84375)
        light = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
        return 10000 * light ** (1 / 0.1593017578125) / DIFFUSE_WHITE
    if transfer == ColorTrc.ARIB_STD_B67:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return signal**_SCREEN_GAMMA


def _hlg_shown(scene: np.ndarray) -> np.ndarray:
    """The light of a screen of 1000 cd/m2, 1 being diffuse white (BT.2100, table 5)."""
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    gain = np.maximum(luminance, 1e-6) ** 0.2 * _HLG_PEAK / DIFFUSE_WHITE
    return scene * gain[..., None]


def _rolled_off(linear: np.ndarray) -> np.ndarray:
    """Light below 1, hues kept: nothing changes up to the knee, all above fits into the rest."""
    brightest = linear.max(axis=-1, keepdims=True)
    over = np.maximum(brightest - _KNEE, 0) / (1 - _KNEE)
    wanted = np.minimum(brightest, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over))
    return linear * (wanted / np.maximum(brightest, 1e-6))
