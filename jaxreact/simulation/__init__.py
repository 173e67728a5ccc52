"""Simulated conversations with known cause and effect, in the layout of REACT2024 or MARS.

The way of a clip: `cast` (who meets whom) -> `story` (turns, phrases, displays; several dyads tell
the same) -> `reactions` (what the partner answers) -> `articulation` -> `voice` and `mouth`;
`displays`, `eyes` and `head` complete the face, `emotion` reads the 25 channels off it, `files`
writes everything down. `conversation.perform` puts one person's part together.

    python -m jaxreact.data.simulate --out ROOT [--dyads N]
"""

from jaxreact.simulation.config import SimulateConfig
from jaxreact.simulation.run import simulate

__all__ = ["SimulateConfig", "simulate"]
