"""The shell of a page: one HTML file that holds its style and needs nothing from outside."""

from html import escape
from importlib import resources


def document(title: str, header: str, main: str, *, style: str = "", script: str = "") -> str:
    """A whole page of a header and a main part, both HTML.

    `style` is CSS behind the shared sheet's; `script` is JavaScript, without which the page must be
    whole. Both come from our own files and are not escaped; the title is.
    """
    closing = f"<script>\n{script}</script>\n" if script else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{asset("jaxreact.html", "page.css")}{style}</style>
</head>
<body>
<header>
{header}
</header>
<main>
{main}
</main>
{closing}</body>
</html>
"""


def asset(package: str, name: str) -> str:
    """Text of a file that is installed with a package: a style sheet, a script."""
    return resources.files(package).joinpath(name).read_text("utf-8")
