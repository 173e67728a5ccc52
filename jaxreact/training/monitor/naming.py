"""What the metrics of a training are called, where a report shows them, and what is good."""

import re

KINDS = ("training", "validation")
"""First parts of tags; the rest is the metric."""

SECTIONS = (
    ("Loss and accuracy", r"(^|_)loss(/|$)|(^|_)accuracy$"),
    ("Codebook", r"^codebook"),
    ("Error by group of coefficients", r"^face/"),
    ("Learning rate and norms", r"^(learning_rate$|norm/)"),
    ("Speed", r"(_per_second|_percent)$"),
)
"""Titles and which metrics stand there, in the order of the report."""

_GREATER_IS_BETTER = re.compile(
    r"(^|_)accuracy$|^codebook_(use|perplexity)$|_per_second$|_percent$"
)
_LOG = re.compile(r"(^|_)loss(/|$)|^face/|^norm/")
_FROM_ZERO = re.compile(r"(^|_)accuracy$|^codebook|^learning_rate$|_per_second$|_percent$")
_CALLED = {
    "teraflops_per_second": "TFLOP per second",
    "model_flop_utilisation_percent": "model FLOP utilisation in %",
    "codebook_use": "codebook use (share of the codes)",
}


def metric_of(tag: str) -> tuple[str, str]:
    """Kind and metric of a tag; a tag of neither kind is all metric, of kind "other"."""
    kind, _, metric = tag.partition("/")
    return (kind, metric) if metric and kind in KINDS else ("other", tag)


def section_of(metric: str) -> str:
    """Title of the section that a metric belongs to: a known one, its own prefix, or "Other"."""
    for title, pattern in SECTIONS:
        if re.search(pattern, metric):
            return title
    prefix, _, rest = metric.partition("/")
    return prefix.replace("_", " ").capitalize() if rest else "Other"


def called(metric: str) -> str:
    """A metric's name for readers."""
    if metric in _CALLED:
        return _CALLED[metric]
    prefix, _, rest = metric.partition("/")
    words = {"norm": f"norm of the {rest}", "face": rest}.get(prefix, metric) if rest else metric
    return words.replace("_", " ").replace("/", ": ")


def greater_is_better(metric: str) -> bool:
    return bool(_GREATER_IS_BETTER.search(metric))


def has_log_axis(metric: str) -> bool:
    """Whether the metric's scale is logarithmic where its values are far apart."""
    return bool(_LOG.search(metric))


def begins_at_zero(metric: str) -> bool:
    """Whether the metric's axis shows zero."""
    return bool(_FROM_ZERO.search(metric))


def is_noisy(metric: str) -> bool:
    """Whether single values scatter around what matters."""
    return metric != "learning_rate"
