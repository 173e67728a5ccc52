"""The command, as somebody starts it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.live.access import Access
from jaxreact.live.command import Config, default_steps, run
from jaxreact.systems.framewise.kinds import FRAMEWISE
from jaxreact.variables import variables_of
from tests.streaming.systems import CONTENT, belfusion, fiber, framewise
from tests.systems.framewise.models import small_model


@pytest.fixture(scope="module")
def system(tmp_path_factory) -> Path:
    """Run directory of a small frame-wise listener."""
    folder, model = tmp_path_factory.mktemp("runs") / "framewise", small_model()
    runs.save_model(folder, FRAMEWISE, model.config, variables_of(model), **CONTENT)
    return folder


def test_it_serves_until_it_is_told_to_stop(system, tmp_path):
    command = [sys.executable, "-m", "jaxreact.live", "--system", str(system), "--port", "0"]
    command += ["--no-vision", "--sessions", "1", "--compilation-cache", "off"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # as in this process: compiling is most of it
    }
    server = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        assert any(line == "ready\n" for line in server.stderr)
        with urllib.request.urlopen(f"{address}v1/info") as answer:
            info = json.load(answer)
        assert (info["ready"], info["system"], info["steps"]) == (True, "framewise", [8, 2])
        with urllib.request.urlopen(f"{address}static/live.js") as answer:
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    finally:
        server.send_signal(signal.SIGTERM)
        _, said = server.communicate(timeout=30)
    assert (server.returncode, said) == (0, "stopping\n")


def test_steps_that_a_system_has():
    assert default_steps(framewise()) == (8, 2)
    assert default_steps(fiber()) == (8, 2)
    assert default_steps(belfusion()) == (5,)


def test_a_server_for_others_needs_a_token(system, monkeypatch):
    monkeypatch.delenv("JAXREACT_TOKEN", raising=False)
    with pytest.warns(UserWarning, match="https"), pytest.raises(UserError, match="--token"):
        run(Config(system, host="0.0.0.0"))


def test_the_token_may_come_from_the_environment(system, monkeypatch):
    seen = []
    monkeypatch.setenv("JAXREACT_TOKEN", "0123456789abcdef")
    monkeypatch.setattr(Access, "__post_init__", lambda access: seen.append(access.token))
    monkeypatch.setattr("jaxreact.live.command.load", lambda path: fail())

    def fail() -> None:
        raise UserError("far enough")

    with pytest.raises(UserError, match="far enough"):
        run(Config(system))
    assert seen == ["0123456789abcdef"]
