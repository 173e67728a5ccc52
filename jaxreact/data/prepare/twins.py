"""What is there twice: files of the same bytes, and pairs in a list."""

from collections.abc import Sequence

from jaxreact.data.prepare.findings import REMARK, ClipFacts, Finding


def find_twins(clips: Sequence[ClipFacts]) -> list[Finding]:
    """A remark for every file of a clip whose bytes an earlier clip's file of the kind has.

    Across splits too, where a model would be tested on what it has learned.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}
    findings = []
    for clip in clips:
        for modality, source in clip.sources.items():
            other = first.setdefault((modality, source.sha256), (clip.name, source.file))
            if other[1] != source.file:
                message = f"the same bytes as {other[1]}"
                twin = Finding("twin", source.file, message, REMARK, clip.split, clip.name)
                findings.append(twin)
    return findings


def find_repeated(split: str, pairs: Sequence[tuple[str, str]]) -> list[Finding]:
    """A remark for every pair that an earlier row lists too, in either order, and for a clip that
    is paired with itself."""
    first: dict[frozenset[str], int] = {}
    findings = []
    for row, pair in enumerate(pairs):
        other = first.setdefault(frozenset(pair), row)
        if other != row:
            message = f"pair {row + 1} is pair {other + 1} again: {', '.join(pair)}"
        elif pair[0] == pair[1]:
            message = f"pair {row + 1} is one clip twice: {pair[0]}"
        else:
            continue
        findings.append(Finding("list", f"{split}.csv", message, REMARK, split, pair=row))
    return findings
