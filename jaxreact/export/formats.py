"""The formats by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jaxreact.export.arkit_csv import write_arkit_csv
from jaxreact.export.arkit_json import write_arkit_json
from jaxreact.export.bvh import write_bvh
from jaxreact.export.flame import write_flame
from jaxreact.export.glb import write_glb
from jaxreact.export.motion import Motion

FormatName = Literal["arkit-csv", "arkit-json", "glb", "bvh", "flame"]


@dataclass(frozen=True)
class Format:
    """How the names of its files end, and what writes one, whole or not at all."""

    suffix: str
    write: Callable[[Path, Motion], None]


FORMATS: dict[FormatName, Format] = {
    "arkit-csv": Format(".csv", write_arkit_csv),
    "arkit-json": Format(".json", write_arkit_json),
    "glb": Format(".glb", write_glb),
    "bvh": Format(".bvh", write_bvh),
    "flame": Format(".npz", write_flame),
}
