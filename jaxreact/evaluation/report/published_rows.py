"""Scores that others have published, as facts with their sources; none was measured here.

`notes` of a row are keys of `NOTES`. Cells that a source does not give are left out. FRC and FRD
are sums over ten predictions unless the row's system says otherwise.
"""

from dataclasses import dataclass, field

Score = float | tuple[float, float]
"""A value, or the range of several systems."""


@dataclass(frozen=True)
class Row:
    """A system's scores on a split, and where they were read."""

    system: str
    split: str
    source: str
    scores: dict[str, Score]
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Group:
    """Rows of one data set, `title`; only those of the same data set can be compared at all."""

    title: str
    rows: tuple[Row, ...]


METRICS = ("FRC", "FRD", "FRDiv", "FRVar", "FRDvs", "FRRea", "FRSyn")

NOTES = {
    "order": "Scored in the original's clip order: its ten reactions to a speaker are reactions to"
    " ten different speakers, and FRDiv equals FRDvs for that reason. 736 frames a clip.",
    "columns": "FRDiv and FRDvs may be exchanged or miscopied in the source, whose header orders"
    " them otherwise than the program that prints them; ten copies, as Mime's, have FRDiv 0.",
    "third": "A third party's reproduction, not the authors' own numbers.",
    "abstract": "Read in a summary of the paper, not in its tables.",
    "samples": "Five samples a clip instead of ten, so that FRC and FRD are other sums.",
}

TRAPS = (
    "736 frames (FaceAIS) or 750 (the challenge): FRD grows with the length.",
    "FRSyn is 49 for every sample with a constant channel, and only each clip's first sample is"
    " looked at; values near 49 say little. Mode corrected does neither.",
    "FRC and FRD of the challenge count a clip without neighbours as 0; mode corrected leaves it"
    " out.",
    "ReactFace, and apparently ReactDiff, score 58 coefficients instead of 25 emotion channels with"
    " their own neighbours; PerFRDiff uses neighbours masked by person. They are not in the table.",
    "FRRea depends on the tool, on which frames are taken, and on how many.",
)

_FACEAIS = "README of ais-lab/FaceAIS_REACT24"
_OFFLINE = "README of MarkZhang99/Offline_Facial_Reaction_Generation"
_UNIFARN = "README of UniFaRN (USTC-AC)"
_PAPER = "Li et al., Neural Networks 2025, abstract"


def _of(*values: float | None) -> dict[str, Score]:
    """Scores in the order of `METRICS`, None where the source gives none."""
    return {name: v for name, v in zip(METRICS, values, strict=True) if v is not None}


GROUPS = (
    Group(
        "REACT2024 (NoXI and RECOLA), the challenge's neighbours",
        (
            Row(
                "FaceAIS (the original), online",
                "val",
                _FACEAIS,
                _of(0.26, 86.73, 0.1162, 0.0346, 0.1160, 81.28, 46.96),
                ("order",),
            ),
            Row(
                "FaceAIS (the original), online",
                "test",
                _FACEAIS,
                _of(0.3190, 82.0288, 0.1162, 0.0344, 0.1165, 34.6685, 43.0918),
                ("order",),
            ),
            Row(
                "Trans-VAE, online",
                "val",
                _FACEAIS,
                _of(0.07, 90.31, 0.0009, 0.0012, 0.0064, 69.19, 44.65),
                ("columns",),
            ),
            Row(
                "BeLFusion, k=10, binary action units",
                "val",
                _FACEAIS,
                _of(0.12, 94.09, 0.0397, 0.0248, 0.0379, None, 49.0),
                ("columns",),
            ),
            Row(
                "Ground truth",
                "val",
                _FACEAIS,
                _of(8.35, 0.0, 0.0, 0.0635, 0.2117, None, 48.42),
            ),
            Row(
                "Mime",
                "val",
                _FACEAIS,
                _of(0.37, 84.78, 0.2483, 0.0635, 0.2117, None, 43.50),
                ("columns",),
            ),
            Row(
                "Random",
                "val",
                _FACEAIS,
                _of(0.05, 228.33, 0.1666, 0.0833, 0.1666, None, 46.27),
            ),
            Row(
                "ReactDiff-latent, offline",
                "test",
                _PAPER,
                _of(0.26, None, 0.094, None, None, None, None),
                ("abstract",),
            ),
            Row(
                "Learning2Listen-style TranVAE",
                "test",
                _OFFLINE,
                _of(0.159, 121.06, None, 0.01202, 0.09871, None, 47.04),
                ("third", "samples"),
            ),
            Row(
                "BeLFusion",
                "test",
                _OFFLINE,
                _of(0.137, 75.00, None, 0.00685, 0.00851, None, 49.00),
                ("third",),
            ),
            Row(
                "REGNN with VGGish",
                "test",
                _OFFLINE,
                _of(0.196, 84.12, None, 0.00602, 0.03359, None, 41.46),
                ("third",),
            ),
            Row(
                "REGNN with wav2vec2",
                "test",
                _OFFLINE,
                _of(0.080, 137.80, None, 0.02144, 0.02151, None, 44.29),
                ("third",),
            ),
        ),
    ),
    Group(
        "REACT2023 (UDIVA besides)",
        (
            Row(
                "UniFaRN finetune, k=6, offline",
                "val",
                _UNIFARN,
                _of(0.2168, 92.70, 0.0594, 0.0566, 0.1964, None, 48.74),
            ),
            Row(
                "UniFaRN cos-keeplr, offline",
                "val",
                _UNIFARN,
                _of(0.2596, 102.80, 0.0211, 0.0466, 0.1651, None, 49.00),
            ),
            Row(
                "UniFaRN 5 s window, k=5, online",
                "val",
                _UNIFARN,
                _of(0.2085, 103.64, 0.0746, 0.0651, 0.1056, None, 49.0),
            ),
            Row(
                "UniFaRN frame-wise, online",
                "val",
                _UNIFARN,
                _of(0.1737, 125.74, 0.1341, 0.0919, 0.2305, None, 47.94),
            ),
        ),
    ),
    Group(
        "REACT2026 (MARS data, another scale)",
        (
            Row(
                "Personalised, offline",
                "",
                "README of one entrant",
                {
                    "FRC": (0.778, 0.782),
                    "FRD": (171.0, 174.0),
                    "FRDiv": 0.12,
                    "FRVar": 0.077,
                    "FRRea": 51.0,
                    "FRSyn": 48.3,
                },
                ("third",),
            ),
            Row(
                "Personalised, online",
                "",
                "README of one entrant",
                {"FRC": (0.636, 0.649), "FRD": (181.0, 192.0), "FRRea": 51.0},
                ("third",),
            ),
        ),
    ),
)
