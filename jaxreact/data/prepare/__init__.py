"""Checks a data set in the REACT2024 layout and packs it for training.

`examine` looks at one clip's files, `strays` at what no list mentions, `matrices` at the neighbour
matrices; `doctor` puts together what they find into a `report`. `choice` decides which pairs are
packed, `pack` writes them as shards, `folder` guards the folder that these go to.

    python -m jaxreact.data.prepare --data ROOT --out CACHE
"""

from jaxreact.data.prepare.command import PrepareConfig, prepare

__all__ = ["PrepareConfig", "prepare"]
