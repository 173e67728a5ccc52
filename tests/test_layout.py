"""The order of the rooms: who may import whom."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

ROOMS = (
    *("face", "curves", "errors", "commands", "files", "processes", "progress", "profiling"),
    *("variables", "checkpoints", "sharding", "devices"),
    *("torch_files", "media", "html", "nn"),
    "runs",
    "audio_features",
    "data",
    "predictions",
    "metrics",
    "rendering",
    "tracking",
    "export",
    "simulation",
    "training",
    "systems",
    "streaming",
    "live",
    "evaluation",
    *("react", "train", "watching"),
)
"""Modules and packages of `jaxreact`, the lowest first. Each imports only what stands before it, so
that there is no ring of them; docs/architecture.md shows it as a picture."""

INSIDE = {
    "systems": (
        *("sampling", "mean_face", "system", "online"),
        *("fiber", "belfusion", "trans_vae", "learning2listen", "framewise"),
        "to_torch",
    ),
}
"""The same inside a room whose parts have an order of their own."""


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("jaxreact"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "jaxreact":
                yield from (f"jaxreact.{alias.name}" for alias in node.names)
            elif (node.module or "").startswith("jaxreact."):
                module = f"{node.module}"
                for alias in node.names:
                    inside = ROOT.joinpath(*module.split("."), alias.name)
                    is_module = inside.is_dir() or inside.with_suffix(".py").exists()
                    yield f"{module}.{alias.name}" if is_module else module


def modules() -> dict[str, Path]:
    """Every module of the package by its full name."""
    found = {}
    for path in (ROOT / "jaxreact").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def offences(files: dict[str, Path], rooms: tuple[str, ...], prefix: str = "jaxreact") -> list[str]:
    """Imports of a room from one that does not stand before it; a `__main__` is a door."""
    depth = prefix.count(".") + 1
    said = []
    for module, path in files.items():
        if not module.startswith(f"{prefix}.") or len(module.split(".")) <= depth:
            continue
        if module.endswith(".__main__"):
            continue
        room = module.split(".")[depth]
        for target in imports(path):
            names = target.split(".")
            if not target.startswith(f"{prefix}.") or names[depth] == room:
                continue
            if rooms.index(names[depth]) > rooms.index(room):
                said.append(f"{module} imports {target}")
    return said


def test_every_room_has_its_place():
    rooms = {module.split(".")[1] for module in modules() if "." in module}
    assert rooms == set(ROOMS)


def test_no_import_runs_upwards():
    assert offences(modules(), ROOMS) == []
    for room, order in INSIDE.items():
        assert offences(modules(), order, f"jaxreact.{room}") == []


def test_the_package_itself_is_imported_by_nobody():
    """Its lazy names would hide an upward import."""
    assert [m for m, path in modules().items() if "jaxreact" in set(imports(path))] == []


def test_the_documentation_shows_the_rooms_in_their_order():
    page = (ROOT / "docs" / "architecture.md").read_text()
    assert tuple(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == ROOMS
    picture = (ROOT / "docs" / "architecture.svg").read_text()
    assert tuple(re.findall(r'<text class="room"[^>]*>(\w+)<', picture)) == ROOMS


def test_modules_form_no_ring():
    """A module and what it needs can be read one after the other."""
    files = modules()
    needs = {
        module: {name for name in imports(path) if name in files and name != module}
        for module, path in files.items()
        if module != "jaxreact"
    }
    for module in needs:  # a package's own front imports its parts, and they may name it
        needs[module] = {name for name in needs[module] if not module.startswith(f"{name}.")}
    while free := [module for module, others in needs.items() if not others & set(needs)]:
        for module in free:
            del needs[module]
    assert sorted(needs) == []


@pytest.mark.parametrize("room", ["nn", "training"])
def test_rooms_that_know_little(room):
    """Networks know nothing of files or torch, the harness of training nothing of pictures."""
    unknown = {"nn": ("torch", "runs", "files"), "training": ("rendering", "torch_files")}[room]
    names = {
        name.split(".")[1]
        for module, path in modules().items()
        if module.startswith(f"jaxreact.{room}.")
        for name in imports(path)
    }
    assert not names & set(unknown)


def test_only_what_needs_pytorch_imports_it():
    """It costs seconds and 260 MiB; tensorboardX, which only a run that writes needs, brings it."""
    asked = [m for m in modules() if m.split(".")[-1] in ("presets", "command", "train")]
    code = f"import sys, {', '.join(asked)}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
