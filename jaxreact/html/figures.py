"""A chart with its title and legend."""

from collections.abc import Iterable
from html import escape


def key(kind: str, text: str) -> str:
    """One entry of a legend: a stroke in the colour of the CSS class `kind`, and its text."""
    return f'<span class="key {kind}">{text}</span>'


def figure(title: str, keys: Iterable[str], drawings: Iterable[str], wide: bool = False) -> str:
    """A chart in a card. A wide one stands across two columns where the screen has them."""
    return (
        f'<figure class="chart{" wide" if wide else ""}"><figcaption>'
        f"<b>{escape(title)}</b>{''.join(keys)}</figcaption>{''.join(drawings)}"
        "</figure>"
    )
