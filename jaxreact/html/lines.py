"""What stands between the axes of a chart: lines, bands, and the drawing around them."""

from collections.abc import Iterable
from html import escape

import numpy as np
from jaxtyping import Float, Shaped

from jaxreact.html.axes import Axes

POINTS = 400
"""Points of a line at most."""


def drawing(size: tuple[int, int], description: str, parts: Iterable[str], style: str = "") -> str:
    """An SVG element; the description is what those hear who do not see it."""
    width, height = size
    return (
        f'<svg class="{style}" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="{escape(description)}">' + "".join(parts) + "</svg>"
    )


def line(axes: Axes, kind: str, xs: np.ndarray, ys: np.ndarray) -> str:
    """A line of the CSS class `kind` through points, interrupted where a value is not finite."""
    finite = np.isfinite(ys)
    starts = np.flatnonzero(finite & ~np.concatenate([[False], finite[:-1]]))
    ends = np.flatnonzero(finite & ~np.concatenate([finite[1:], [False]])) + 1
    across, down = axes.x(xs), axes.y(ys)
    strokes = (
        "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(across[a:b], down[a:b], strict=True))
        for a, b in zip(starts, ends, strict=True)
    )
    return f'<path class="{kind}" d="{"".join(f"M{stroke}" for stroke in strokes)}"/>'


def band(
    axes: Axes,
    xs: Shaped[np.ndarray, "points"],
    low: Float[np.ndarray, "points"],
    high: Float[np.ndarray, "points"],
) -> str:
    """The area between two curves; points where either is not finite are left out."""
    known = np.isfinite(low) & np.isfinite(high)
    xs, low, high = axes.x(xs[known]), axes.y(low[known]), axes.y(high[known])
    there = [f"{x:.1f} {y:.1f}" for x, y in zip(xs, high, strict=True)]
    back = [f"{x:.1f} {y:.1f}" for x, y in zip(xs[::-1], low[::-1], strict=True)]
    return f'<path class="band" d="M{"L".join(there + back)}Z"/>' if there else ""


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
