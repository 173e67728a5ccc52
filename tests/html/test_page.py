"""Templates and what fills them: escaped, complete, in one colour a kind."""

import re
import tomllib
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import jaxreact.html.page as pages
from jaxreact.html.axes import Axes
from jaxreact.html.charts import Drawing, Figure, Key, box, group, line, text
from jaxreact.html.colors import KINDS
from tests.html.reading import Page

ROOT = Path(__file__).parents[2]
HOSTILE = "</style><b>&\"'"

PARTS = """{% extends "html/page.html.j2" %}
{% import "html/parts.html.j2" as parts %}
{% block header %}{{ parts.cards([(title, title, title)]) }}{% endblock %}
{% block main %}
{{ parts.table([title], [[title, 0.125, nan]]) }}
{{ parts.figure(chart) }}
{% endblock %}
"""


def filled(**values) -> str:
    return pages._ENVIRONMENT.from_string(PARTS).render(values)


def chart(words: str = "words") -> Figure:
    shapes = [group("model", box("", 1, 2, 3, 4, words), text("mid", 5, 6, words))]
    return Figure(words, [Drawing((10, 20), words, shapes)], [Key("model", words, 2.5, words)])


def test_what_is_given_is_text_wherever_it_stands():
    page = Page(filled(title=HOSTILE, nan=float("nan"), chart=chart(HOSTILE)))
    assert not {"b"} & {tag for tag, attrs in page.tags if tag == "b" and attrs}
    assert [tag for tag, _ in page.tags].count("b") == 1  # the figure's title
    assert page.text.count(HOSTILE) == 11
    (drawing,) = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert drawing["aria-label"] == HOSTILE
    assert page.rows[1][1:] == [("0.125", 0.125), ("-", None)]


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(UndefinedError, match="'title' is undefined"):
        filled(nan=1.0, chart=chart())


def test_every_kind_has_its_colour_on_light_and_dark_pages():
    page = filled(title="title", nan=1.0, chart=chart())
    for kind, color in KINDS.items():
        light, dark = re.findall(rf"\.{kind} {{ --line: (#\w{{6}}); }}", page)
        assert (light, dark) == (color.light, color.dark)


def test_shapes_are_drawn_as_they_are_said():
    axes = Axes((0.0, 1.0), (0.0, 1.0), (100, 100))
    stroke = line(axes, "line", [0, 1], [0, 1])  # pyright: ignore[reportArgumentType]
    drawing = Drawing((100, 100), "drawing", [group("model", stroke, title="told")], "small")
    page = filled(title="title", nan=1.0, chart=Figure("chart", [drawing], wide=True))
    assert '<svg class="small" viewBox="0 0 100 100" role="img" aria-label="drawing">' in page
    path = '<path class="line" d="M48.0 76.0L88.0 10.0"></path>'
    assert f'<g class="model"><title>told</title>{path}</g>' in "".join(page.split("\n"))
    assert '<figure class="chart wide">' in page


def test_templates_styles_and_scripts_are_installed_with_the_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = settings["tool"]["setuptools"]["package-data"]["jaxreact"]
    package = ROOT / "jaxreact"
    installed = {path for pattern in patterns for path in package.glob(pattern)}
    for path in package.rglob("*"):
        if path.suffix in (".j2", ".css", ".js", ".csv"):
            assert path in installed, path


def test_what_templates_name_is_there():
    for path in (ROOT / "jaxreact").rglob("*.j2"):
        for name in re.findall(r'"([a-z_/]+/[a-z_.]+\.(?:html\.j2|css|js))"', path.read_text()):
            assert (ROOT / "jaxreact" / name).is_file(), f"{path}: {name}"
