"""The best and the worst clips: their traces, scores and videos, and a table of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxreact.evaluation.report import traces
from jaxreact.evaluation.report.clip_table import ClipTable
from jaxreact.evaluation.report.scores import scored
from jaxreact.evaluation.report.shown import ClipByClip
from jaxreact.evaluation.report.videos import Videos
from jaxreact.html.charts import Figure, Key
from jaxreact.metrics.scores import BETTER, labelled

EACH = 3
"""Best and worst clips by each of the two scores."""

OTHERS = 4
"""Clips beyond these whose videos are in the page."""


def telling_clips(table: ClipTable, each: int = EACH) -> dict[str, list[int]]:
    """Title -> the best or worst clips by FRC and FRD, the outermost first.

    No clip is both best and worst by the same score: a split of two clips has one of each.
    """
    rankings: dict[str, list[int]] = {}
    for metric in ("FRC", "FRD"):
        ranking = table.ranking(metric, BETTER[metric] > 0)
        best = min(each, (len(ranking) + 1) // 2)
        worst = min(each, len(ranking) // 2)
        rankings[f"Best by {metric}"] = ranking[:best]
        rankings[f"Worst by {metric}"] = ranking[::-1][:worst]
    return {title: clips for title, clips in rankings.items() if clips}


@dataclass(frozen=True)
class Card:
    """A clip: its name, the scores that say how good it is, its video and its traces.

    One that stands on the page already has only a name and `above`, the title it stands under.
    """

    clip: int
    name: str
    scores: Sequence[tuple[str, float]] = ()
    video: str = ""
    charts: Sequence[Figure] = ()
    above: str = ""


def section(evaluated: ClipByClip) -> dict[str, Any] | None:
    """A card for each telling clip, once; then clips that have a video but are not among them.

    None where the scores of single clips are not known.
    """
    if evaluated.table is None:
        return None
    videos, seen = Videos(evaluated.out, evaluated.videos), {}
    groups: dict[str, list[Card]] = {}
    for title, clips in telling_clips(evaluated.table).items():
        groups[title] = []
        for clip in clips:
            if clip in seen:
                groups[title].append(Card(clip, evaluated.clips[clip], above=seen[clip].lower()))
            else:
                charts = [
                    traces.chart(each, evaluated.clips[clip])
                    for each in traces.traces_of(evaluated.shown(clip))
                ]
                groups[title].append(_card(evaluated, evaluated.table, clip, videos, charts))
                seen[clip] = title
    others = [clip for clip in videos.clips if clip not in seen]
    return {
        "keys": _legend(evaluated),
        "videos": bool(videos.clips),
        "groups": groups,
        "others": [_card(evaluated, evaluated.table, clip, videos) for clip in others[:OTHERS]],
        "more": len(others) - OTHERS,
        "labels": ["clip", *map(labelled, evaluated.table.values)],
        "rows": [
            [name, *(float(values[clip]) for values in evaluated.table.values.values())]
            for clip, name in enumerate(evaluated.table.clips)
        ],
    }


def _legend(evaluated: ClipByClip) -> list[Key]:
    return [
        Key("speaker", "speaker"),
        Key("truth", "listener, recorded"),
        Key("model", f"{scored(evaluated).lower()}, first sample; area: all samples"),
    ]


def _card(
    evaluated: ClipByClip,
    table: ClipTable,
    clip: int,
    videos: Videos,
    charts: Sequence[Figure] = (),
) -> Card:
    scores = [(name, float(table.values[name][clip])) for name in BETTER]
    return Card(clip, evaluated.clips[clip], scores, videos.source(clip), charts)
