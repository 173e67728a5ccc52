"""The file that a report becomes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxreact.files import replacing
from jaxreact.html.page import page

NAME = "report.html"


def write_page(out: Path, template: str, values: Mapping[str, Any]) -> Path:
    """Fills a template of this folder into `report.html` of an evaluation's directory, whole or not
    at all, and returns its path."""
    text = page(f"evaluation/report/{template}", values)
    with replacing(out / NAME) as path:
        path.write_text(text, encoding="utf-8")
    return out / NAME
