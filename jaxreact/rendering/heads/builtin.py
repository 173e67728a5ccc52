"""The head that ships with this package."""

import itertools
from collections.abc import Mapping
from functools import cache
from importlib import resources

import numpy as np

from jaxreact.rendering.heads.head import HeadModel


@cache
def load_builtin_head() -> HeadModel:
    """The head that ships with this package (CC0 data, see `assets/README.md`), loaded once."""
    asset = resources.files("jaxreact.rendering") / "assets" / "head.npz"
    with asset.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return _unpack(arrays)


def _unpack(arrays: Mapping[str, np.ndarray]) -> HeadModel:
    """Undoes the packing of `tools/build_head.py`: units are sparse and quantised to int16."""
    neutral = arrays["neutral"].astype(np.float32)
    units = np.zeros((52, len(neutral), 3), np.float32)
    starts = arrays["unit_start"]
    for unit, (start, end) in enumerate(itertools.pairwise(starts)):
        steps = arrays["unit_delta"][start:end].astype(np.float32)
        units[unit, arrays["unit_vertex"][start:end]] = steps * arrays["unit_step"][unit]
    return HeadModel(
        neutral=neutral,
        units=units,
        faces=arrays["faces"].astype(np.int32),
        colors=arrays["colors"].astype(np.float32) / 255,
        gloss=arrays["gloss"].astype(np.float32) / 255,
        grip=arrays["grip"].astype(np.float32) / 255,
        pivot=arrays["pivot"].astype(np.float32),
        lips_need_jaw=True,
    )
