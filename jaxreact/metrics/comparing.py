"""What `python -m jaxreact.metrics compare` prints and writes of two systems' scores."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from jaxreact.files import write_json
from jaxreact.metrics.clipwise import ClipScores
from jaxreact.metrics.notes import size_note
from jaxreact.metrics.options import Options
from jaxreact.metrics.statistics.comparison import compare, smallest_p
from jaxreact.metrics.table import comparison_table


def show_comparison(
    files: tuple[Path, Path],
    scores: tuple[ClipScores, ClipScores],
    groups: Sequence[str] | None,
    unit: str,
    notes: Sequence[str],
    options: Options,
) -> None:
    """Prints how the second of both differs from the first, with `notes` below, and writes --json.

    `groups` are what is resampled and exchanged, of a kind that is called `unit`, None for clips.
    """
    (a, b), (first, second) = files, scores
    differences = compare(
        first,
        second,
        groups=groups,
        resamples=options.resamples,
        level=options.level,
        seed=options.seed,
    )
    table = comparison_table(first.scores, differences)
    print(f"A {a}\nB {b}\n{size_note(first)}\n\n{table}\n")
    number = len(first) if groups is None else len({*groups})
    notes = list(notes)
    if smallest_p(number, first.scores) > 1 - options.level:
        notes.append(f"{number} {unit}s are too few to show any difference at this level")
    print("\n".join(notes))
    if options.json is not None:
        content = {
            "a": str(a),
            "b": str(b),
            "differences": {name: asdict(each) for name, each in differences.items()},
            "counts": {"a": first.count(), "b": second.count()},
            "unit": unit,
            "notes": notes,
        }
        write_json(options.json, {**content, **options.settings()})
