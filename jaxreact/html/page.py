"""Pages from templates: one HTML file that holds its style and needs nothing from outside."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from jaxreact.html.colors import KINDS
from jaxreact.html.numbers import readable


def page(template: str, values: Mapping[str, Any]) -> str:
    """A page from a template, named by its path in the package, that extends `page.html.j2`.

    Every value is escaped, but for our own files and data that a template calls safe. A template
    that names a value which is not there raises.
    """
    return _ENVIRONMENT.get_template(template).render(values)


def asset(path: str) -> str:
    """Text of our own file, by its path in the package: a style sheet, a script, a table."""
    return resources.files("jaxreact").joinpath(path).read_text("utf-8")


def moment(seconds: float) -> datetime:
    """The time that is so many seconds after 1970 began, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


_ENVIRONMENT = Environment(
    loader=PackageLoader("jaxreact", ""),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.globals |= {"asset": asset, "COLORS": KINDS}
_ENVIRONMENT.filters |= {"readable": readable, "moment": moment}
_ENVIRONMENT.tests["finite"] = math.isfinite
