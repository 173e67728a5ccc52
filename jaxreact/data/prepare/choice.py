"""Which pairs of an examined data set are packed."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from jaxreact.data.prepare.findings import FATAL, PROBLEM, Examination, Finding, Source, SplitFacts
from jaxreact.errors import UserError


@dataclass(frozen=True)
class ChosenSplit:
    """What is packed of a split; every clip of a pair has a source for each modality."""

    pairs: list[tuple[str, str]]
    sources: dict[str, dict[str, Source]]
    """By clip and modality; the order is that of the records."""
    neighbours: UInt8[np.ndarray, "n n"] | None
    left_out: int
    """Pairs of the split that are not."""


@dataclass(frozen=True)
class Choice:
    """What is packed."""

    mean_face: list[float]
    splits: dict[str, ChosenSplit]


def choose(examination: Examination, drop_broken: bool, shortest: int = 0) -> Choice:
    """Everything, or with `drop_broken` everything that is in order; of that only pairs of which
    both have `shortest` frames.

    Raises `UserError` for a data set with problems, and for one of which nothing could be kept.
    """
    problems = examination.of(PROBLEM, FATAL)
    fatal = examination.of(FATAL)
    if fatal:
        raise UserError(f"{examination.root}/{fatal[0].path}: {fatal[0].message}")
    if problems and not drop_broken:
        raise UserError(_refusal(examination, problems))
    assert examination.mean_face is not None
    splits = {}
    for split, facts in examination.splits.items():
        broken = broken_pairs(facts, [each for each in problems if each.split == split])
        if len(broken) == len(facts.pairs):
            raise UserError(
                f"{examination.root}/{split}.csv: not one pair is in order; see the report"
            )
        splits[split] = _without(facts, broken | _short_pairs(facts, shortest))
        if not splits[split].pairs:
            raise UserError(f"--shortest {shortest}: no pair of {split} is so long; choose less")
    return Choice(examination.mean_face, splits)


def broken_pairs(facts: SplitFacts, problems: list[Finding]) -> set[int]:
    """Positions of the pairs that problems concern."""
    clips = {finding.clip for finding in problems} - {None}
    pairs = {finding.pair for finding in problems if finding.pair is not None}
    return pairs | {row for row, pair in enumerate(facts.pairs) if clips & {*pair}}


def _short_pairs(facts: SplitFacts, shortest: int) -> set[int]:
    """Positions of the pairs of whose files one has fewer frames."""
    long_enough = {
        name
        for name, clip in facts.clips.items()
        if all(source.frames >= shortest for source in clip.sources.values())
    }
    return {row for row, pair in enumerate(facts.pairs) if not {*pair} <= long_enough}


def _without(facts: SplitFacts, broken: set[int]) -> ChosenSplit:
    kept = [row for row in range(len(facts.pairs)) if row not in broken]
    pairs = [facts.pairs[row] for row in kept]
    matrix = facts.matrix.values
    if matrix is not None:
        both = np.array([*kept, *(len(facts.pairs) + row for row in kept)], int)
        matrix = matrix[np.ix_(both, both)]
    names = dict.fromkeys(name for pair in pairs for name in pair)
    sources = {name: facts.clips[name].sources for name in names}
    return ChosenSplit(pairs, sources, matrix, len(broken))


def _refusal(examination: Examination, problems: list[Finding]) -> str:
    kinds = Counter(finding.kind for finding in problems)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    total = sum(len(facts.pairs) for facts in examination.splits.values())
    broken = sum(
        len(broken_pairs(facts, [each for each in problems if each.split == split]))
        for split, facts in examination.splits.items()
    )
    return (
        f"{examination.root}: {len(problems)} problem(s) ({counted}) concern {broken} of {total} "
        "pairs; mend them, or leave out what they concern with --drop-broken"
    )
