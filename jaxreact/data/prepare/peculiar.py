"""What is found in data of one layout only."""

from collections.abc import Iterable

import numpy as np

from jaxreact.data.layout import COEFFS, EMOTION, VIDEO
from jaxreact.data.mars.data_set import Mars
from jaxreact.data.mars.eeg import EegTables
from jaxreact.data.mars.files import litter
from jaxreact.data.mars.personality import personality
from jaxreact.data.prepare.findings import REMARK, SLIGHT, Finding
from jaxreact.data.recordings import Recordings
from jaxreact.errors import UserError
from jaxreact.media.video_reader import count_pictures, rate_by_header

_RATE_ODD = 0.02
"""Share by which a film's rate may differ from the layout's."""


def peculiarities(data: Recordings, split: str, names: Iterable[str]) -> list[Finding]:
    """Findings in a split, of whose pairs the clips are named."""
    if not isinstance(data, Mars):
        return []
    names = list(names)
    return [
        *_litter(data, split),
        *_without_partner(data, split),
        *_sides(data, split),
        *_films(data, split, names),
        *_persons(data, split, names),
        *_eeg(data, split, names),
    ]


def _litter(data: Mars, split: str) -> list[Finding]:
    return [
        Finding("litter", split, f"{count} files {kind}, never read", REMARK, split)
        for kind, count in sorted(litter(data.path, split).items())
    ]


def _without_partner(data: Mars, split: str) -> list[Finding]:
    return [
        Finding("no partner", data.expected(split, COEFFS, name), "left out", REMARK, split)
        for name in data.alone(split)
    ]


def _sides(data: Mars, split: str) -> list[Finding]:
    """How many pairs end at different times, be it by a frame: what REACT 2026's rules stumble at.

    Single ones, where it is more, are found elsewhere.
    """
    pairs = data.pairs(split)
    differences = [_difference(data, split, pair) for pair in pairs]
    unequal = [frames for frames in differences if frames]
    if not unequal:
        return []
    most = f"up to {max(unequal)} frames" if max(unequal) > 1 else "one frame"
    message = (
        f"{len(unequal)} of {len(pairs)} pairs have sides that differ by {most} of"
        f" 1/{data.release.rate:g} s: mode react2026 needs --alignment for these"
    )
    return [Finding("sides", split, message, REMARK, split)]


def _difference(data: Mars, split: str, pair: tuple[str, str]) -> int:
    """Frames of emotion that one has more; 0 where that cannot be said."""
    files = [data.find(split, EMOTION, name) for name in pair]
    try:
        counts = [data.count(EMOTION, file) for file in files if file is not None]
    except UserError:
        return 0  # found elsewhere
    return max(counts) - min(counts) if len(counts) == len(pair) else 0


def _films(data: Mars, split: str, names: list[str]) -> list[Finding]:
    """Films whose rate or number of pictures is not that of the tables."""
    findings = []
    for name in names:
        film, table = data.find(split, VIDEO, name), data.find(split, COEFFS, name)
        if film is None or table is None:
            continue
        file = film.relative_to(data.path).as_posix()
        try:
            pictures, rate = count_pictures(film), rate_by_header(film)
            rows = data.count(COEFFS, table)
        except UserError:
            continue  # an unreadable table is found elsewhere; films are read by who needs them
        if rate and abs(rate / data.release.rate - 1) > _RATE_ODD:
            message = f"{rate:.2f} pictures a second, the layout has {data.release.rate:g}"
            findings.append(Finding("rate", file, message, REMARK, split, name))
        elif pictures and abs(pictures - rows) > SLIGHT:
            message = f"{pictures} pictures, the coefficients have {rows} frames"
            findings.append(Finding("length", file, message, REMARK, split, name))
    return findings


def _persons(data: Mars, split: str, names: list[str]) -> list[Finding]:
    """Rows about nobody, and listeners without a row where there is a table."""
    folder = f"{split}/personality"

    def finding(message: str) -> Finding:
        message = message.removeprefix(f"{data.path}/")
        return Finding("personality", folder, message, REMARK, split)

    persons = personality(data.path, split, names)
    if not persons.scores and not persons.doubts:
        return []
    known = {*names, *(f"*/{name.split('/', 1)[1]}" for name in names)}
    strangers = [name for name in persons.scores if name not in known]
    nobody = [n for n in names if "/listener/" in n and persons.of_clip(n) is None]
    return [
        *map(finding, persons.doubts),
        *(
            finding(f"{len(whom)} {what}, such as {whom[0]}")
            for what, whom in (
                ("rows are of clips that are not here", strangers),
                ("listeners have no row that can be used", nobody),
            )
            if whom
        ),
    ]


def _eeg(data: Mars, split: str, names: list[str]) -> list[Finding]:
    """Tables that cannot be read, and how much of them was measured."""
    findings, shares = [], []
    file = f"{split}/eeg_processed"

    def say(error: UserError, name: str | None = None) -> None:
        message = str(error).removeprefix(f"{data.path}/")
        findings.append(Finding("eeg", file, message, REMARK, split, name))

    try:
        tables = EegTables(data.path, split)
    except UserError as error:
        say(error)
        return findings
    for name in names:
        try:
            eeg = tables.of(name)
        except UserError as error:
            say(error, name)
            continue
        if eeg is not None:
            shares.append(float(eeg.measured.mean()) if eeg.measured.size else 0.0)
    if shares:
        message = f"{len(shares)} of {len(names)} clips have EEG, {np.mean(shares):.0%} measured"
        findings.append(Finding("eeg", file, message, REMARK, split))
    return findings
