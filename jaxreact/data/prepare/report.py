"""An examination as text to read and as JSON to process."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from jaxreact.data.layout import MODALITIES
from jaxreact.data.prepare.findings import FATAL, PROBLEM, REMARK, Examination, Finding, SplitFacts
from jaxreact.face import FPS

_NEEDED = ("train", "val")
_SHOWN = 20
"""Findings of one kind that the text names; JSON names all."""


def as_json(examination: Examination) -> dict[str, Any]:
    """Counts, lengths, matrices and all findings; whether the data set can be packed as it is."""
    return {
        "root": examination.root,
        "packable": not examination.of(PROBLEM, FATAL),
        "absent": list(examination.absent),
        "splits": {
            split: {
                "pairs": len(facts.pairs),
                "frames": sorted(Counter(facts.lengths()).items()),
                "neighbours": facts.matrix.story,
            }
            for split, facts in examination.splits.items()
        },
        "counts": [dict(zip(_COLUMNS, row, strict=True)) for row in _counts(examination)],
        "findings": [asdict(finding) for finding in examination.findings],
    }


def as_text(examination: Examination) -> str:
    """The same to read: a table of counts, a line on each split, and findings by kind."""
    parts = [examination.root, _table([_COLUMNS, *_counts(examination)])]
    lines = [f"{split}: {_summary(facts)}" for split, facts in examination.splits.items()]
    lines += [
        f"{split}: absent" + "; training needs it" * (split in _NEEDED)
        for split in examination.absent
    ]
    parts.append("\n".join(lines))
    for title, severities in (("problem", (FATAL, PROBLEM)), ("remark", (REMARK,))):
        findings = examination.of(*severities)
        plural = "" if len(findings) == 1 else "s"
        parts.append("\n".join([f"{len(findings)} {title}{plural}", *_by_kind(findings)]))
    return "\n\n".join(parts)


_COLUMNS = ("split", "site", "role", "clips", *MODALITIES)


def _counts(examination: Examination) -> list[tuple]:
    """Rows of the table: clips that the lists name, and how many have each modality in order."""
    listed: Counter[tuple[str, str, str]] = Counter()
    whole: Counter[tuple[str, str, str, str]] = Counter()
    for split, facts in examination.splits.items():
        for name, clip in facts.clips.items():
            parts = name.split("/")
            group = (split, parts[0], parts[-2])
            listed[group] += 1
            whole.update((*group, modality) for modality in clip.sources)
    return [
        (*group, count, *(whole[*group, modality] for modality in MODALITIES))
        for group, count in listed.items()
    ]


def _table(rows: Iterable[tuple]) -> str:
    """Columns as wide as their widest cell, words to the left and numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 3 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    )


def _summary(facts: SplitFacts) -> str:
    lengths = facts.lengths()
    text = f"{len(facts.pairs)} pairs"
    if lengths:
        low, high = min(lengths), max(lengths)
        frames = str(low) if low == high else f"{low} to {high}"
        text += f" of {frames} frames ({high / FPS:.2f} s)"
    return f"{text}; neighbour matrix: {facts.matrix.story}"


def _by_kind(findings: list[Finding]) -> list[str]:
    kinds: dict[str, list[Finding]] = {}
    for finding in findings:
        kinds.setdefault(finding.kind, []).append(finding)
    lines = []
    for kind, same in kinds.items():
        lines.append(f"  {kind}: {len(same)}")
        for finding in same[:_SHOWN]:
            lines.append(
                f"    {finding.path}" + (f": {finding.message}" if finding.message else "")
            )
        if len(same) > _SHOWN:
            lines.append(f"    and {len(same) - _SHOWN} more; --json FILE lists all")
    return lines
