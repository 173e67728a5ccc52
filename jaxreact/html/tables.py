"""Tables and numbers as HTML."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any


def number(value: float) -> str:
    """A number as HTML: four digits to read, all of them in the `value` of its element."""
    shown = f"{value:,.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"
    return f'<data value="{float(value)!r}">{shown}</data>'


def duration(seconds: float) -> str:
    """A length of time in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((i for i, (count, _) in enumerate(parts) if count), 3)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])


def cards(facts: Sequence[tuple[str, str, str]]) -> str:
    """A handful of numbers that one looks for first: (name, value as HTML, note as HTML)."""
    shown = (
        f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>"
        for name, value, note in facts
    )
    return f'<dl class="facts">{"".join(shown)}</dl>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], style: str = "") -> str:
    """A table that scrolls inside its box. Cells are HTML, and the first of each row names it.

    `style` is a CSS class of the table.
    """
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    kind = f' class="{style}"' if style else ""
    return (
        f'<div class="table"><table{kind}><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def compact_json(value: Any, indent: str = "") -> str:
    """JSON with one key a line and every list in one."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value)
    deeper = indent + "  "
    entries = [f"{deeper}{json.dumps(k)}: {compact_json(v, deeper)}" for k, v in value.items()]
    return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
