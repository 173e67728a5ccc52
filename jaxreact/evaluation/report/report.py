"""The whole page of an evaluation, and writing it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from jaxreact.evaluation.report import (
    clips,
    codebook,
    distributions,
    diversity,
    lags,
    published,
    scores,
)
from jaxreact.evaluation.report.evaluated import Evaluated, read_evaluation
from jaxreact.face import FPS
from jaxreact.files import replacing
from jaxreact.html.page import asset, document
from jaxreact.html.tables import cards
from jaxreact.metrics import ClipScores
from jaxreact.systems.system import Codebook

NAME = "report.html"

_SPLITS = {"train": "training split", "val": "validation split", "test": "test split"}


def write_evaluation_report(
    out: str | Path,
    *,
    data: str | Path | None = None,
    split: str | None = None,
    codebook: Codebook | None = None,
    clip_scores: ClipScores | None = None,
) -> Path:
    """Writes `report.html` into the directory of an evaluation, and returns its path.

    Reads predictions.npz, metrics.json and videos/ there. `data` is the root or cache that was
    evaluated and `split` its split (by default that of metrics.json, else "val"): needed for what
    compares with other clips' listeners. `codebook` turns faces into codes, for the use of these.
    `clip_scores` are `metrics.clipwise`'s if they are at hand; else they come from
    `clip_scores.csv`, which is written where it is missing. What cannot be had is said in the page.

    Raises `UserError` naming a file that is missing, damaged, or does not fit the others; then
    nothing is left half-written.
    """
    out = Path(out)
    evaluated = read_evaluation(
        out, None if data is None else Path(data), split, clip_scores=clip_scores
    )
    text = page(evaluated, codebook)
    with replacing(out / NAME) as path:
        path.write_text(text, encoding="utf-8")
    return out / NAME


def page(evaluated: Evaluated, codes: Codebook | None = None) -> str:
    """The whole page."""
    name = evaluated.out.resolve().name
    now = datetime.now(UTC)
    header = f"""<h1>{escape(name)}</h1>
<p class="quiet">Evaluation of reactions to the {_what(evaluated)}.
Report of <time datetime="{now:%Y-%m-%dT%H:%M:%SZ}">{now:%Y-%m-%d %H:%M} UTC</time>.</p>
{cards(_facts(evaluated))}"""
    style, script = (
        asset("jaxreact.evaluation.report", f"report.{kind}") for kind in ("css", "js")
    )
    body = "".join(_body(evaluated, codes))
    return document(f"{name}: evaluation", header, body, style=style, script=script)


def _what(evaluated: Evaluated) -> str:
    split = evaluated.content.get("split")
    if split is None and evaluated.recorded is not None:
        split = evaluated.recorded.name
    named = escape(_SPLITS.get(str(split), str(split))) if split else "clips of a data set"
    return f"{named}, simulated conversations" if evaluated.simulated else named


def _facts(evaluated: Evaluated) -> list[tuple[str, str, str]]:
    """The handful of numbers that one looks for first."""
    content, (count, samples, frames) = evaluated.content, evaluated.shape
    counts = content.get("counts", {})
    alone = counts.get("clips_without_neighbours", 0)
    still = counts.get("samples_without_synchrony", 0)
    facts = [
        ("Clips", str(count), f"{alone} without neighbours" if alone else ""),
        ("Samples of each", str(samples), f"{still} without synchrony" if still else ""),
        ("Frames of each", str(frames), f"{frames / FPS:.4g} s"),
        ("Mode", escape(content["mode"]), "of scoring"),
    ]
    if "realism" in content:
        facts.append(_realism(content["realism"]))
    if "seed" in content:
        facts.append(("Seed", escape(str(content["seed"])), ""))
    versions = {name: str(value) for name, value in content.get("versions", {}).items()}
    ours = escape(versions.pop("jaxreact", "unknown"))
    others = escape(", ".join(f"{name} {value}" for name, value in versions.items()))
    return [*facts, ("jaxreact", ours, others)]


def _realism(found: Mapping[str, Any]) -> tuple[str, str, str]:
    """FRRea, and what it was measured on."""
    kind = "photo-real" if found["photoreal"] else "drawn, and so were the recorded ones"
    notes = " ".join(map(escape, found["notes"]))
    what = f"{found['pictures']} pictures a side, {kind}; protocol {escape(found['protocol'])}."
    return "FRRea ↓", f"{found['FRRea']:.4g}", f"{what} {notes}"


def _body(evaluated: Evaluated, codes: Codebook | None) -> Iterator[str]:
    yield f"<h2>Scores</h2>{scores.score_table(evaluated)}{scores.score_notes(evaluated)}"
    yield f"<h3>What they mean</h3>{scores.explanation(evaluated)}{published.section(evaluated)}"
    if evaluated.table is None:
        yield (
            '<h2>Clip by clip</h2><p class="quiet">Not shown: scores of single clips need the'
            " data set's neighbours. With them, python -m jaxreact.evaluation.report OUT --data"
            " ROOT shows how the scores are distributed, and the best and worst clips.</p>"
        )
    else:
        yield f"<section><h2>Clip by clip</h2>{distributions.section(evaluated)}</section>"
        yield f"<section><h2>Best and worst clips</h2>{clips.section(evaluated)}</section>"
    yield f"<section><h2>Synchrony with the speaker</h2>{lags.section(evaluated)}</section>"
    yield f"<section><h2>Diversity</h2>{diversity.section(evaluated)}</section>"
    yield f"<section><h2>Codebook use</h2>{codebook.section(evaluated, codes)}</section>"
