"""What is there twice: files of the same bytes, and pairs in a list."""

from collections.abc import Sequence

from jaxreact.data.prepare.findings import REMARK, ClipFacts, Finding


def find_twins(clips: Sequence[ClipFacts]) -> list[Finding]:
    """A remark for every file of a clip whose bytes an earlier clip's file of the kind has.

    Across splits too, where a model would be tested on what it has learned; one remark for all of a
    split that is another once more.
    """
    first: dict[tuple[str, str], tuple[str, str]] = {}
    findings = []
    copies = {}
    for split in dict.fromkeys(clip.split for clip in clips):
        if (original := _original(clips, split)) is not None:
            copies[split] = original
            message = f"every file is one of {original}; do not call its scores those of {split}"
            findings.append(Finding("twin", split, message, REMARK, split))
    for clip in clips:
        if clip.split in copies:
            continue
        for modality, source in clip.sources.items():
            other = first.setdefault((modality, source.sha256), (clip.name, source.file))
            if other[1] != source.file:
                message = f"the same bytes as {other[1]}"
                twin = Finding("twin", source.file, message, REMARK, clip.split, clip.name)
                findings.append(twin)
    return findings


def _original(clips: Sequence[ClipFacts], split: str) -> str | None:
    """The earlier split that has the bytes of all of a split's files."""
    files: dict[str, set[str]] = {}
    for clip in clips:
        files.setdefault(clip.split, set()).update(s.sha256 for s in clip.sources.values())
    own, earlier = files[split], list(files)[: list(files).index(split)]
    return next((name for name in earlier if own and own <= files[name]), None)


def find_repeated(file: str, split: str, pairs: Sequence[tuple[str, str]]) -> list[Finding]:
    """A remark for every pair that an earlier row of the list `file` has too, in either order, and
    for a clip that is paired with itself."""
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
        findings.append(Finding("list", file, message, REMARK, split, pair=row))
    return findings
