"""The command lines understand every command that the documentation shows."""

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest
import tyro

ROOT = Path(__file__).parents[1]
TEXTS = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
)
PAGES = [*TEXTS, "launch/kubernetes.yaml"]
COMMAND = re.compile(r"\bpython (-m jaxreact|\w+\.py|benchmarks/)")
END = re.compile(r"[|&;#]| [12]?>|\$\(")
WITH_COMMANDS = {
    "README.md",
    *(f"docs/{n}.md" for n in ("training", "metrics", "rendering", "real_data")),
}
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*|(fiber|belfusion|learning2listen)/[a-z]+")
"""Of a subcommand, or of a stage of training."""
STANDING_FOR = {"N": "2", "I": "1", "$i": "1"}


def shown(page: str) -> list[list[str]]:
    """The words after "python" of a page's commands, in blocks and in `code` of the text."""
    text = (ROOT / page).read_text().replace("\\\n", " ")
    if page.endswith(".md"):
        blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        code = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        text = "\n".join([*blocks, *(" ".join(each.split()) for each in code)])
    found = ((line, COMMAND.search(line)) for line in text.splitlines())
    commands = [END.split(line[match.start() :])[0] for line, match in found if match]
    return [[STANDING_FOR.get(word, word) for word in shlex.split(each)[1:]] for each in commands]


def program(command: list[str]) -> list[str]:
    return command[: 2 if command[0] == "-m" else 1]


def whole(command: list[str]) -> list[str]:
    """A command in which "..." is what the README gives to the same program, presets left out."""
    if "..." not in command:
        return command
    name = program(command)
    given = next(each for each in shown("README.md") if program(each) == name)[len(name) :]
    at, options = command.index("..."), [i for i, word in enumerate(given) if word[:2] == "--"]
    return command[:at] + given[options[0] :] + command[at + 1 :]


def execute(name: list[str]) -> None:
    if name[0] == "-m":
        runpy.run_module(name[1], run_name="__main__")
    else:
        runpy.run_path(str(ROOT / name[0]), run_name="__main__")


class Understood(Exception):
    """A command line was read to its end; what it asks for is not done."""


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
@pytest.mark.parametrize("page", PAGES)
def test_commands_of(page, monkeypatch, capsys):
    read = tyro.cli

    def only_read(*arguments, **options):
        read(*arguments, **options)
        raise Understood

    monkeypatch.setattr(tyro, "cli", only_read)
    # What runpy compiles here checks shapes, and must not be what users run from then on.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")  # as for a script that stands there
    commands = shown(page)
    assert commands or page not in WITH_COMMANDS
    for command in map(whole, commands):
        name = program(command)
        arguments = command[len(name) :]
        if all(NAME.fullmatch(word) for word in arguments):
            arguments = [*arguments, "--help"]  # the name of a program or a subcommand, no more
        monkeypatch.setattr(sys, "argv", [name[-1], *arguments])
        with pytest.raises((Understood, SystemExit)) as end:
            execute(name)
        if isinstance(end.value, SystemExit):
            assert (arguments[-1:], end.value.code) == (["--help"], 0), capsys.readouterr().err
