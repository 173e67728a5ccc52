"""The best and the worst clips: their traces, scores and videos, and a table of all."""

from collections.abc import Sequence
from html import escape

from jaxreact.evaluation.report import traces
from jaxreact.evaluation.report.clip_table import ClipTable
from jaxreact.evaluation.report.evaluated import Evaluated
from jaxreact.evaluation.report.scores import scored, shown
from jaxreact.evaluation.report.videos import Videos
from jaxreact.html.figures import key
from jaxreact.html.tables import table
from jaxreact.metrics.scores import BETTER, labelled

EACH = 3
"""Best and worst clips by each of the two scores."""

OTHERS = 4
"""Clips beyond these whose videos are in the page."""


def telling_clips(table: ClipTable, each: int = EACH) -> dict[str, list[int]]:
    """Title -> the best or worst clips by FRC and FRD, the outermost first.

    No clip is both best and worst by the same score: a split of two clips has one of each.
    """
    found: dict[str, list[int]] = {}
    for metric in ("FRC", "FRD"):
        ranking = table.ranking(metric, BETTER[metric] > 0)
        best = min(each, (len(ranking) + 1) // 2)
        worst = min(each, len(ranking) // 2)
        found[f"Best by {metric}"] = ranking[:best]
        found[f"Worst by {metric}"] = ranking[::-1][:worst]
    return {title: clips for title, clips in found.items() if clips}


def section(evaluated: Evaluated) -> str:
    """A card for each telling clip, once; then clips that have a video but are not among them."""
    if evaluated.table is None:
        return ""
    videos, seen = Videos(evaluated.out), {}
    parts = [_legend(evaluated)]
    for title, clips in telling_clips(evaluated.table).items():
        parts.append(f"<h3>{title}</h3>")
        for place, clip in enumerate(clips):
            if clip in seen:
                parts.append(_again(evaluated, clip, seen[clip]))
            else:
                parts.append(_card(evaluated, clip, videos, opened=place == 0))
                seen[clip] = title
    others = [clip for clip in evaluated.videos if clip not in seen]
    if others:
        parts.append(_others(evaluated, others, videos))
    parts.append(all_clips(evaluated.table))
    return "".join(parts)


def _legend(evaluated: Evaluated) -> str:
    name = escape(scored(evaluated).lower())
    keys = [
        key("speaker", "speaker"),
        key("truth", "listener, recorded"),
        key("model", f"{name}, first sample; area: all samples"),
    ]
    remark = "Time in seconds."
    if evaluated.videos:
        remark += (
            " Videos show the speaker, the recorded listener, and the first sample as mesh and"
            " face; where they play, a line runs along the traces, and a click on a trace leads to"
            " its moment."
        )
    return f'<p class="legend">{"".join(keys)}</p><p class="quiet">{remark}</p>'


def _card(evaluated: Evaluated, clip: int, videos: Videos, opened: bool) -> str:
    """Name and scores of a clip, and its video and traces, which fold away."""
    name = evaluated.clips[clip]
    charts = "".join(traces.chart(one, name) for one in traces.traces_of(evaluated, clip))
    film = _film(evaluated, clip, videos) if clip in evaluated.videos else ""
    return (
        f'<details class="clip" id="clip-{clip}"{" open" if opened else ""}>'
        f"<summary>{_heading(evaluated, clip)}</summary>"
        f'{film}<div class="charts">{charts}</div></details>'
    )


def _heading(evaluated: Evaluated, clip: int) -> str:
    """A clip's name, and those of its scores that say how good it is."""
    assert evaluated.table is not None
    known = {name: float(evaluated.table.values[name][clip]) for name in BETTER}
    scores = ", ".join(f"{name} {shown(value)}" for name, value in known.items())
    return f'<b>{escape(evaluated.clips[clip])}</b> <span class="quiet">{scores}</span>'


def _film(evaluated: Evaluated, clip: int, videos: Videos) -> str:
    label = f"Speaker, recorded and generated listener of {evaluated.clips[clip]}"
    return videos.element(evaluated.videos[clip], label)


def _again(evaluated: Evaluated, clip: int, title: str) -> str:
    name = escape(evaluated.clips[clip])
    return f'<p class="quiet again"><a href="#clip-{clip}">{name}</a>: above, {title.lower()}.</p>'


def _others(evaluated: Evaluated, others: Sequence[int], videos: Videos) -> str:
    """Videos of clips that are neither best nor worst."""
    cards = (
        f'<article class="clip"><p>{_heading(evaluated, clip)}</p>'
        f"{_film(evaluated, clip, videos)}</article>"
        for clip in others[:OTHERS]
    )
    more = len(others) - OTHERS
    rest = f'<p class="quiet">{more} more beside this page.</p>' if more > 0 else ""
    return f'<h3>Other videos</h3><div class="charts">{"".join(cards)}</div>{rest}'


def all_clips(clips: ClipTable) -> str:
    """A folded table of every clip, which the page's script can sort."""
    rows = [
        [escape(name), *(shown(float(values[clip])) for values in clips.values.values())]
        for clip, name in enumerate(clips.clips)
    ]
    head = ["clip", *map(labelled, clips.values)]
    return (
        f"<details><summary>All {len(clips)} clips</summary>{table(head, rows, 'sortable')}"
        "</details>"
    )
