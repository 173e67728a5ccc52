"""Reading a page back: what tests of all pages share."""

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input", "path", "circle", "rect"}
"""Elements that the page uses without an end tag (SVG's close themselves)."""


class Page(HTMLParser):
    """Checks that tags nest, and gathers tables, links and pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.rows: list[list[tuple[str, float | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append(("", None))
        elif tag == "data" and "tr" in self.open:
            self.rows[-1][-1] = ("", float(dict(attrs)["value"]))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "script"} & set(self.open):
            return
        self.words.append(data)
        if "tr" in self.open and self.rows[-1]:
            text, value = self.rows[-1][-1]
            self.rows[-1][-1] = (text + data, value)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def row(self, name: str) -> list[float | str]:
        """Cells of the one row of that name, numbers in full."""
        (row,) = [row for row in self.rows if row and row[0][0] == name]
        return [text if value is None else value for text, value in row[1:]]

    def needs_nothing_from_outside(self) -> bool:
        """Whether every address is inside the page or a file beside it."""
        links = [attrs[name] for _, attrs in self.tags for name in ("src", "href") if name in attrs]
        inside = ("data:", "#", "videos/")
        return not {"link", "iframe", "object"} & {tag for tag, _ in self.tags} and all(
            address.startswith(inside) for address in links
        )
