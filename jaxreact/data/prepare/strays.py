"""Files that look like clips and stand in no list: some of them are listed ones misnamed."""

from collections.abc import Iterable
from difflib import SequenceMatcher
from pathlib import PurePosixPath

from jaxreact.data.layout import MODALITIES
from jaxreact.data.prepare.findings import REMARK, Finding
from jaxreact.data.recordings import Recordings

_ALIKE = 0.6


def find_strays(
    data: Recordings, split: str, names: Iterable[str], missing: Iterable[str]
) -> list[Finding]:
    """A remark for every file of a split that no row lists; `missing` are paths below the root.

    One that differs from a missing file in one part of its path only, and there slightly, is said
    to be misnamed.
    """
    names, gaps = list(names), _by_gap(missing)
    findings = []
    for modality in MODALITIES:
        for path in data.unlisted(split, modality, names):
            file = path.relative_to(data.path).as_posix()
            meant = next((other for other in _candidates(file, gaps) if _alike(file, other)), None)
            kind = "unlisted" if meant is None else "misnamed"
            message = "" if meant is None else f"is it the missing {meant}?"
            findings.append(Finding(kind, file, message, REMARK, split))
    return findings


def _gaps(file: str) -> list[tuple[str, ...]]:
    """A path once without each of its parts, their places kept."""
    parts = file.split("/")
    return [(*parts[:place], "", *parts[place + 1 :]) for place in range(len(parts))]


def _by_gap(files: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    table: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        for gap in _gaps(file):
            table.setdefault(gap, []).append(file)
    return table


def _candidates(file: str, table: dict[tuple[str, ...], list[str]]) -> Iterable[str]:
    return (other for gap in _gaps(file) for other in table.get(gap, ()))


def _alike(file: str, other: str) -> bool:
    pairs = zip(file.split("/"), other.split("/"), strict=True)
    ours, theirs = next(pair for pair in pairs if pair[0] != pair[1])
    numbers = [PurePosixPath(part).stem for part in (ours, theirs)]
    if all(number.isdecimal() for number in numbers) and int(numbers[0]) != int(numbers[1]):
        return False
    return SequenceMatcher(None, ours.lower(), theirs.lower()).ratio() >= _ALIKE
