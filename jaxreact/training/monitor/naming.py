"""What the metrics of a training are called, where a report shows them, and what is good."""

import re
from dataclasses import dataclass

KINDS = ("training", "validation")
"""First parts of tags; the rest is the metric."""


@dataclass(frozen=True)
class Family:
    """Metrics that are shown alike: all whose whole name `pattern` matches."""

    pattern: str
    section: str
    """Title of the section of the report where they stand."""
    called: str = ""
    """Their name for readers, with the pattern's groups in it; else the metric's own."""
    greater_is_better: bool = False
    log: bool = False
    """Whether the scale is logarithmic where values are far apart."""
    from_zero: bool = False
    """Whether the axis shows zero."""
    noisy: bool = True
    """Whether single values scatter around what matters."""


def _gain(pattern: str, section: str, called: str = "") -> Family:
    """Metrics of which more is better, and none at all is zero."""
    return Family(pattern, section, called, greater_is_better=True, from_zero=True)


_QUALITY, _CODES, _NORMS = "Loss and accuracy", "Codebook", "Learning rate and norms"
_GROUPS, _SPEED = "Error by group of coefficients", "Speed"

FAMILIES = (
    Family(r"(?:\w+_)?loss", _QUALITY, log=True),
    _gain("accuracy", _QUALITY),
    _gain("codebook/use", _CODES, "codebook use (share of the codes)"),
    _gain("codebook/perplexity", _CODES, "codebook perplexity"),
    Family(r"face/(\w+)", _GROUPS, r"\1", log=True),
    Family("learning_rate", _NORMS, from_zero=True, noisy=False),
    Family(r"norm/(\w+)", _NORMS, r"norm of the \1", log=True),
    _gain("teraflops_per_second", _SPEED, "TFLOP per second"),
    _gain("model_flop_utilisation_percent", _SPEED, "model FLOP utilisation in %"),
    _gain("(?:steps|frames)_per_second", _SPEED),
)
"""All that a training writes, in the order of the report's sections."""

SECTIONS = tuple(dict.fromkeys(family.section for family in FAMILIES))
"""Titles in the order of the report."""


def metric_of(tag: str) -> tuple[str, str]:
    """Kind and metric of a tag; a tag of neither kind is all metric, of kind "other"."""
    kind, _, metric = tag.partition("/")
    return (kind, metric) if metric and kind in KINDS else ("other", tag)


def family_of(metric: str) -> Family:
    """How a metric is shown; of one that no training writes only a section is known.

    That is its own prefix, or "Other".
    """
    for family in FAMILIES:
        if re.fullmatch(family.pattern, metric):
            return family
    prefix, _, rest = metric.partition("/")
    section = prefix.replace("_", " ").capitalize() if rest else "Other"
    return Family(re.escape(metric), section)


def called(metric: str) -> str:
    """A metric's name for readers."""
    family = family_of(metric)
    words = re.sub(family.pattern, family.called, metric) if family.called else metric
    return words.replace("_", " ").replace("/", ": ")
