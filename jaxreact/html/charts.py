"""What stands between the axes of a chart, as SVG elements that `parts.html.j2` writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike

from jaxreact.html.axes import Axes
from jaxreact.html.numbers import short

POINTS = 400
"""Points of a line at most."""


@dataclass(frozen=True)
class Shape:
    """An SVG element; `title` is told when it is pointed at, `words` are what a text says."""

    tag: str
    attributes: Mapping[str, str | float]
    title: str = ""
    words: str = ""
    inside: Sequence["Shape"] = ()


@dataclass(frozen=True)
class Drawing:
    """A whole drawing; the description is what those hear who do not see it."""

    size: tuple[int, int]
    description: str
    shapes: Sequence[Shape]
    style: str = ""
    """A CSS class: "small" and "large" are two drawings of one chart, for phones and others."""


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a stroke in the colour of a kind, a text, perhaps with a number."""

    kind: str
    text: str
    value: float | None = None
    rest: str = ""
    """Behind the number."""


@dataclass(frozen=True)
class Figure:
    """A chart in a card. A wide one stands across two columns where the screen has them."""

    title: str
    drawings: Sequence[Drawing]
    keys: Sequence[Key] = ()
    note: str = ""
    """Behind the legend."""
    wide: bool = field(default=False, kw_only=True)


def path(kind: str, steps: str, **more: str | float) -> Shape:
    """A path of the CSS class `kind`; `steps` are what SVG calls its data."""
    return Shape("path", {"class": kind, **more, "d": steps})


def _of(kind: str) -> dict[str, str | float]:
    return {"class": kind} if kind else {}


def text(kind: str, x: float, y: float, words: str) -> Shape:
    """Words from a place on, up to it (kind "end"), or around it ("mid")."""
    return Shape("text", {"x": f"{x:.1f}", "y": f"{y:.1f}"} | _of(kind), words=words)


def dot(x: float, y: float, radius: float, title: str) -> Shape:
    return Shape("circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": radius}, title)


def box(kind: str, x: float, y: float, width: float, height: float, title: str = "") -> Shape:
    """A rectangle from its left upper corner."""
    sides = {"x": x, "y": y, "width": width, "height": height}
    return Shape("rect", _of(kind) | {name: f"{v:.1f}" for name, v in sides.items()}, title)


def group(kind: str, *inside: Shape, title: str = "") -> Shape:
    """Shapes in the colour of a kind."""
    return Shape("g", _of(kind), title, inside=inside)


def upright(axes: Axes, kind: str, place: float, top: float | None = None) -> Shape:
    """A line from the top of the plot to its bottom, at a value of x."""
    top = axes.top if top is None else top
    return path(kind, f"M{float(axes.x(place)):.1f} {top}V{axes.bottom}")


def grid(
    axes: Axes, *, rows: int = 5, columns: int = 5, whole: bool = False, name: str = ""
) -> list[Shape]:
    """Lines and numbers of both axes, about so many; `rows=0` leaves the vertical one out.

    `whole` keeps whole numbers only on the horizontal axis; `name` stands at its end, for which the
    lower margin must leave room.
    """
    shapes = []
    values = axes.rows(rows) if rows else []
    for value, y in zip(values, axes.y(values), strict=True):
        shapes.append(path("grid", f"M{axes.left} {y:.1f}H{axes.right}"))
        shapes.append(text("end", axes.left - 6, y + 3.5, short(value)))
    values = [value for value in axes.columns(columns) if not whole or value == int(value)]
    for value, x in zip(values, axes.x(values), strict=True):
        shapes.append(path("tick", f"M{x:.1f} {axes.bottom}v4"))
        shapes.append(text("mid", x, axes.bottom + 18, short(value)))
    shapes.append(path("axis", f"M{axes.left} {axes.bottom}H{axes.right}"))
    if name:
        shapes.append(text("end", axes.right, axes.bottom + 32, name))
    return shapes


def line(axes: Axes, kind: str, xs: ArrayLike, ys: ArrayLike) -> Shape:
    """A line of the CSS class `kind` through points, interrupted where a value is not finite."""
    finite = np.isfinite(ys)
    starts = np.flatnonzero(finite & ~np.concatenate([[False], finite[:-1]]))
    ends = np.flatnonzero(finite & ~np.concatenate([finite[1:], [False]])) + 1
    places = _places(axes, xs, ys)
    strokes = ("L".join(places[a:b]) for a, b in zip(starts, ends, strict=True))
    return path(kind, "".join(f"M{stroke}" for stroke in strokes))


def band(
    axes: Axes,
    xs: Shaped[np.ndarray, "points"],
    low: Float[np.ndarray, "points"],
    high: Float[np.ndarray, "points"],
) -> list[Shape]:
    """The area between two curves; points where either is not finite are left out."""
    known = np.isfinite(low) & np.isfinite(high)
    xs, low, high = xs[known], low[known], high[known]
    around = _places(axes, xs, high) + _places(axes, xs[::-1], low[::-1])
    return [path("band", f"M{'L'.join(around)}Z")] if around else []


def _places(axes: Axes, xs: ArrayLike, ys: ArrayLike) -> list[str]:
    return [f"{x:.1f} {y:.1f}" for x, y in zip(axes.x(xs), axes.y(ys), strict=True)]


def thin(
    xs: Shaped[np.ndarray, "points"], values: Float[np.ndarray, "points"], most: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """At most about `most` points of a curve, its peaks among them."""
    if len(xs) <= most:
        return xs, values
    kept = {0, len(xs) - 1}
    for part in np.array_split(np.arange(len(xs)), most // 2):
        kept |= {int(part[np.argmin(values[part])]), int(part[np.argmax(values[part])])}
    index = np.array(sorted(kept))
    return xs[index], values[index]
