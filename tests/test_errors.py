"""What users see of an error: one line that names the file."""

import errno

import pytest

from jaxreact.errors import Stopped, UserError, filling, run_command


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
    run_command(lambda: None)


def test_stopping_is_a_success(capsys):
    def main() -> None:
        raise Stopped("run: stopped after step 3")

    run_command(main)
    assert capsys.readouterr().err == "run: stopped after step 3\n"


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
