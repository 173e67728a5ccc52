"""What users see of an error: one line that names the file. What a second start finds compiled."""

import errno
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental.compilation_cache import compilation_cache

from jaxreact import commands
from jaxreact.commands import MAX_BYTES, OFF, OPTION, keep_programs, run_command
from jaxreact.errors import Remark, Stopped, UserError, filling


def shown(capsys, error: BaseException) -> tuple[str, object]:
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as stopped:
        run_command(main)
    return capsys.readouterr().err.strip(), stopped.value.code


def test_one_line_and_a_status(capsys):
    assert shown(capsys, UserError("x.npz: damaged")) == ("error: x.npz: damaged", 1)
    assert shown(capsys, KeyboardInterrupt()) == ("interrupted", 130)
    full = OSError(errno.ENOSPC, "No space left", "a.bin")
    assert shown(capsys, full) == ("error: a.bin: No space left; make room", 1)
    closed = PermissionError(errno.EACCES, "Permission denied", "b.bin")
    advice = "allow it, or choose another place"
    assert shown(capsys, closed) == (f"error: b.bin: Permission denied; {advice}", 1)
    run_command(lambda: None)


def test_other_errors_of_the_system_are_mistakes_of_ours():
    for error in (OSError(errno.EACCES, "of no file"), OSError(errno.EBADF, "Bad", "x")):

        def main(error: OSError = error) -> None:
            raise error

        with pytest.raises(OSError, match=r"of no file|Bad"):
            run_command(main)


def test_stopping_is_a_success(capsys):
    def main() -> None:
        raise Stopped("run: stopped after step 3")

    run_command(main)
    assert capsys.readouterr().err == "run: stopped after step 3\n"


def test_a_remark_is_a_line_and_stops_nothing(capsys, recwarn):
    def main() -> None:
        for _ in range(2):
            with warnings.catch_warnings():  # after which Python shows again what it has shown
                pass
            warnings.warn("a.mp4: silent", Remark, stacklevel=1)
        warnings.warn("of a library", UserWarning, stacklevel=1)

    warnings.simplefilter("default")
    before = warnings.showwarning
    run_command(main)
    assert capsys.readouterr().err == "warning: a.mp4: silent\n"
    assert [str(warning.message) for warning in recwarn] == ["of a library"]
    assert warnings.showwarning is before


class Loud:
    """Its end is an error that nobody can catch."""

    def __init__(self, message: str):
        self.message = message

    def __del__(self) -> None:
        raise RuntimeError(self.message)


def test_threads_of_a_failed_save_are_not_heard(monkeypatch):
    heard: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: heard.append(str(error.exc_value)))

    def main() -> None:
        Loud("Event loop is closed")
        Loud("something else")

    run_command(main)
    assert heard == ["something else"]


def test_a_full_disk_gets_the_path_that_it_lacks():
    def full(*name: str) -> str:
        with pytest.raises(OSError, match="No space") as caught, filling("runs/one"):
            raise OSError(errno.ENOSPC, "No space left", *name)
        assert caught.value.errno == errno.ENOSPC
        return caught.value.filename

    assert full() == "runs/one"
    assert full("state/3") == "state/3"
    with pytest.raises(OSError, match="denied") as caught, filling("runs/one"):
        raise OSError(errno.EACCES, "denied")
    assert caught.value.filename is None


@pytest.fixture
def settings(monkeypatch) -> Iterator[None]:
    """JAX's settings as a user's are, given back afterwards."""
    names = (
        "jax_enable_compilation_cache",
        "jax_compilation_cache_dir",
        "jax_compilation_cache_max_size",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: jax.config.values[name] for name in names}
    jax.config.update("jax_enable_compilation_cache", True)
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture
def events() -> Iterator[Counter[str]]:
    """How often JAX found a program in its cache, and how often not."""
    counted: Counter[str] = Counter()

    def count(event: str, **_: object) -> None:
        counted[event.rpartition("/")[2]] += 1

    jax.monitoring.register_event_listener(count)
    yield counted
    jax.monitoring.unregister_event_listener(count)


def test_a_second_start_compiles_nothing(tmp_path, settings, events):
    """Not even what takes no time; a start is told apart by JAX having forgotten all programs."""
    assert keep_programs(str(tmp_path)) is not None
    for start in range(2):
        jax.clear_caches()
        compilation_cache.reset_cache()
        events.clear()
        jax.block_until_ready(jax.jit(lambda x: jnp.sin(x) @ x)(np.eye(3, dtype=np.float32)))
        found, missed = events["cache_hits"], events["cache_misses"]
        assert (found > 0, missed > 0) == (start == 1, start == 0)


def test_programs_are_kept_in_the_users_cache_for_this_processor(tmp_path, monkeypatch, settings):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = keep_programs()
    assert folder is not None
    assert folder.parent == tmp_path / "jaxreact" / "programs"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert jax.config.values["jax_compilation_cache_dir"] == str(folder)
    assert jax.config.values["jax_compilation_cache_max_size"] == MAX_BYTES
    monkeypatch.setattr(commands.binding, "get_host_cpu_name", lambda: "another")
    assert keep_programs() != folder


def test_the_largest_size_is_kept_to(tmp_path, monkeypatch, settings):
    """Of three programs that do not fit, the one used last stays."""
    monkeypatch.setattr(commands, "MAX_BYTES", 20_000)
    folder = keep_programs(str(tmp_path))
    assert folder is not None
    for size in range(3, 9):
        jax.jit(lambda x: jnp.sin(x) @ x)(np.eye(size, dtype=np.float32))
    # JAX doesn't count the few bytes beside each program that say when it was used.
    kept = sum(path.stat().st_size for path in folder.glob("*-cache"))
    assert 0 < kept <= 20_000


def test_where_programs_are_kept_can_be_said(tmp_path, monkeypatch, settings):
    """By the option or by JAX's variable, of which the option wins."""
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "variable"))
    folder = keep_programs()
    assert folder is not None
    assert folder.parent == tmp_path / "variable"
    seen = []
    monkeypatch.setattr(sys, "argv", ["x", "--a", "1", OPTION, str(tmp_path / "option"), "b"])
    run_command(lambda: seen.append([*sys.argv, jax.config.values["jax_compilation_cache_dir"]]))
    assert seen[0][:-1] == ["x", "--a", "1", "b"]
    assert Path(seen[0][-1]).parent == tmp_path / "option"
    assert keep_programs(OFF) is None
    assert keep_programs() is None


def test_a_folder_that_cannot_be(tmp_path, monkeypatch, settings):
    """One that was asked for is an error; without the usual one a command goes on."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match=rf"^{file}: no folder to keep programs in \(Not a dir"):
        keep_programs(str(file))
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert keep_programs() is None


def test_help_speaks_of_it(monkeypatch, capsys):
    def main() -> None:
        raise SystemExit(0)

    monkeypatch.setattr(sys, "argv", ["x", "--help"])
    with pytest.raises(SystemExit):
        run_command(main)
    assert f"{OPTION} DIR|off" in capsys.readouterr().out
