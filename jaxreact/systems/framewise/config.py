"""The sizes and options of the frame-wise listener."""

from dataclasses import dataclass

UNITS, AFFECT, EXPRESSIONS = slice(0, 15), slice(15, 17), slice(17, 25)
"""Of the 25 emotion channels: action units that are there or not, valence and arousal, and the
probabilities of eight expressions."""


@dataclass(frozen=True)
class FramewiseConfig:
    """Sizes of one model. Raises ValueError for what cannot be."""

    features: int = 256
    """Width of all that passes between layers."""
    stacks: int = 2
    """How often the dilations are gone through."""
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    """Frames between the three frames that a layer sees."""
    dropout: float = 0.2
    smoothing: int = 6
    """The emotion of a frame is that of so many last frames' mean: people's expressions last."""
    temperature: float = 0.7
    """How far reactions depart from the expected one, in units of how far people do: 0 is the
    expected reaction itself, 1 is anybody's. In between, reactions differ as much as those of two
    people who both react appropriately."""
    affect: float = 0.5
    """How far valence, arousal and expressions depart, against action units and faces: 1 is as far
    as people's do. They weigh most in the challenge's FRD, and are read off the face in any
    case."""
    hysteresis: float = 0.2
    """An action unit comes and goes at thresholds that far from the middle, in deviations, so that
    it does not flicker at one."""
    micro_motion: float = 1.0
    """How much of people's small quick motion, which nobody can foresee, is added; 0 leaves it out,
    1 is as much as people have."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(self.dilations))
        for name in ("features", "stacks", "smoothing"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is not 1 or more")
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError(f"dilations {self.dilations} are not some numbers of 1 or more")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout {self.dropout} is not from 0 to below 1")
        for name in ("temperature", "affect", "hysteresis", "micro_motion"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"{name} {getattr(self, name)} is not 0 or more")

    @property
    def past(self) -> int:
        """Frames before a frame that its reaction depends on."""
        return 2 * self.stacks * sum(self.dilations) + self.smoothing - 1
