"""Colours of what is drawn, in pages and in pictures: a kind of curve has one everywhere."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Color:
    """A colour in CSS's notation, on a light page (and in pictures) and on a dark one."""

    light: str
    dark: str


# After Okabe and Ito, whose colours the colour-blind can tell apart; line styles say it once more.
ORANGE, BLUE = Color("#c44e00", "#f0a030"), Color("#0072b2", "#56b4e9")
AMBER, GREEN = Color("#e69f00", "#ffd27a"), Color("#009e73", "#3fc79d")
PINK, SKY, BROWN = (
    Color("#b8478f", "#e39ac8"),
    Color("#2e97d1", "#8fd0f5"),
    Color("#7a5230", "#c9a27c"),
)
PAPER, INK = Color("#ffffff", "#1d2126"), Color("#1c2128", "#e7eaee")

SYSTEMS = (ORANGE, GREEN, PINK, AMBER, SKY, BROWN)
"""Of several systems' reactions to one speaker."""

KINDS = {
    **dict.fromkeys(("model", "clips", "sample", "validation"), ORANGE),
    **dict.fromkeys(("truth", "listener"), INK),
    **dict.fromkeys(("speaker", "mime", "reconstruction", "training", "other"), BLUE),
    **{f"system-{number}": color for number, color in enumerate(SYSTEMS)},
}
"""Kind of a curve -> its colour. Kinds are CSS classes."""

SAMPLES = (ORANGE, AMBER, GREEN)
"""Of several reactions to one speaker, where they are told apart."""
