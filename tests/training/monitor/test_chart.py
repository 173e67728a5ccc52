"""Axes and curves of the report's charts."""

import numpy as np
import pytest

from jaxreact.html.charts import Drawing
from jaxreact.training.monitor.chart import MANY, Series, line_chart, running_mean
from jaxreact.training.monitor.record import Curve


def curve(values) -> Curve:
    values = np.asarray(values, float)
    return Curve(np.arange(1, len(values) + 1), values)


def paths(drawing: Drawing, kind: str) -> list[str]:
    """Data of the paths of a class."""
    groups = [shape for shape in drawing.shapes if shape.tag == "g"]
    attributes = [inner.attributes for shape in groups for inner in shape.inside]
    return [str(each["d"]) for each in attributes if each.get("class") == kind]


def heights(drawing: Drawing, kind: str = "line") -> list[float]:
    """Vertical positions of a line's points, from the top."""
    (path,) = paths(drawing, kind)
    return [float(point.split()[1]) for point in path.removeprefix("M").split("L")]


def draw(values, **options) -> Drawing:
    return line_chart([Series("training", curve(values))], "loss", **options)


def test_greater_values_stand_higher_within_the_drawing():
    low, middle, high = heights(draw([1, 2, 3]))
    assert 210 > low > middle > high > 0
    assert low - middle == pytest.approx(middle - high, abs=0.2)


def test_a_logarithmic_axis_where_values_are_far_apart():
    one, ten, thousand = heights(draw([1, 10, 1000], log=True))
    assert (ten - thousand) == pytest.approx(2 * (one - ten), abs=0.3)
    for values in ([1, 2, 3], [0, 10, 1000]):  # close together; a zero
        assert draw(values, log=True) == draw(values)


def test_an_axis_from_zero():
    a, b = heights(draw([1, 2], from_zero=True))
    bottom = 210 - 24
    assert bottom - b == pytest.approx(2 * (bottom - a), abs=0.3)


@pytest.mark.parametrize("values", [[3.0], [0.0], [2.0, 2.0], [-1.0, 1.0]])
def test_single_and_equal_values_can_be_drawn(values):
    assert "nan" not in str(draw(values))
    assert "nan" not in str(draw(values, from_zero=True))


def test_long_curves_get_a_running_mean_unless_they_are_smooth():
    values = np.arange(MANY)
    noisy = draw(values)
    assert len(heights(noisy, "raw")) == len(heights(noisy)) == MANY
    assert not paths(line_chart([Series("training", curve(values), False)], "rate"), "raw")
    assert not paths(draw(values[:-1]), "raw")
    assert [shape.tag for shape in draw(values[:-1]).shapes[-1].inside].count("circle") == MANY - 1


def test_the_running_mean():
    np.testing.assert_allclose(running_mean(np.arange(9.0), 2)[:7], np.arange(7.0))
    np.testing.assert_allclose(running_mean(np.ones(9), 3), 1)
    values = np.array([9.0, 0, 0, 0, 0, 0, 0, 9])
    # The first point stays; the last is the mean of it and the two before.
    np.testing.assert_allclose(running_mean(values, 2), [9, 3, 1.8, 0, 0, 1.8, 2.25, 3])
