"""Packing that can be interrupted, repeated and refused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxreact.data.conversations import open_conversations
from jaxreact.data.prepare import PrepareConfig, command, pack, prepare
from jaxreact.data.prepare.doctor import examine
from jaxreact.errors import UserError
from tests.child_processes import all_end, children
from tests.data.prepare.running import run
from tests.data.react2024_files import NOXI, RECOLA, TinyDataSet


@pytest.fixture
def small_shards(monkeypatch):
    """One clip a shard: twelve shards."""
    monkeypatch.setattr(pack, "CLIPS_PER_SHARD", 1)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.usefixtures("small_shards")
def test_a_second_packing_is_the_same_to_the_bit_for_any_number_of_workers(data, tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        run(data, tmp_path / name, workers=workers)
    one = contents(tmp_path / "one")
    assert len(one) == 12 * 2 + 1
    assert contents(tmp_path / "two") == one


@pytest.mark.usefixtures("small_shards")
def test_an_interrupted_packing_goes_on(data, tmp_path, monkeypatch):
    run(data, tmp_path / "whole")
    out, write = tmp_path / "cache", pack.write_shard
    written = []

    def stop_at_the_sixth(path, records):
        if len(written) == 5:
            raise KeyboardInterrupt
        write(path, records)
        written.append(path)

    monkeypatch.setattr(pack, "write_shard", stop_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        run(data, out)
    with pytest.raises(UserError, match="packing is unfinished"):
        open_conversations(out)
    (out / "train" / ".audio-00000.arrayrecord.x1").mkdir()
    (out / "train" / ".audio-00000.arrayrecord.x1" / "audio-00000.arrayrecord").write_bytes(b"1")
    damaged = written[1]
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    again = []
    monkeypatch.setattr(
        pack, "write_shard", lambda path, records: (again.append(path), write(path, records))
    )
    run(data, out)
    assert len(again) == 12 - 5 + 1
    assert damaged in again
    assert contents(out) == contents(tmp_path / "whole")


@pytest.mark.usefixtures("small_shards")
def test_only_what_changed_is_packed_again(data, tmp_path, monkeypatch):
    out, write, written = tmp_path / "cache", pack.write_shard, []
    run(data, out)
    before = open_conversations(out).fingerprint()
    monkeypatch.setattr(
        pack, "write_shard", lambda path, records: (written.append(path.name), write(path, records))
    )
    run(data, out)
    assert (written, open_conversations(out).fingerprint()) == ([], before)
    path = data.path("Emotion", NOXI[1], ".csv")
    stamp = path.stat()
    path.write_text(path.read_text().replace("0.25", "0.75"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    run(data, out)
    assert written == ["emotion-00001.arrayrecord"]
    packed = open_conversations(out)
    assert packed.fingerprint() != before
    assert packed.emotion(packed.dyads("train")[0].listener)[0, 0] == 0.75
    data.write_list([RECOLA])
    run(data, out)
    assert len(list(out.rglob("*.arrayrecord"))) == 6
    assert len(open_conversations(out).dyads("train")) == 2


def test_a_source_that_changes_while_it_is_packed(data, tmp_path, monkeypatch):
    def examine_and_change(root, workers):
        result = examine(root, workers)
        np.save(data.path("3D_FV_files", NOXI[0], ".npy"), np.zeros((61, 58)))
        return result

    monkeypatch.setattr(command, "examine", examine_and_change)
    with pytest.raises(UserError, match=r"1\.npy: changed while it was being packed"):
        run(data, tmp_path / "cache")


def test_nothing_foreign_is_touched(data, tmp_path):
    with pytest.raises(UserError, match=r"holds .*, no part of a cache; choose a new folder"):
        run(data, data.root)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not a folder"):
        run(data, tmp_path / "file")


def arguments(data: TinyDataSet, out: Path) -> list[str]:
    options = ["--data", str(data.root), "--out", str(out), "--workers", "2"]
    return [sys.executable, "-m", "jaxreact.data.prepare", *options]


def test_the_command(data, tmp_path):
    done = subprocess.run(arguments(data, tmp_path / "cache"), capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith(f"{tmp_path / 'cache'}: 2 train pairs in 3")
    data.path("Emotion", RECOLA[0], ".csv").unlink()
    check = [*arguments(data, tmp_path / "cache"), "--check-only"]
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"    train/Emotion/{RECOLA[0]}.csv\n" in done.stdout
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert len(open_conversations(tmp_path / "cache").dyads("train")) == 4


@pytest.mark.slow
def test_packing_survives_being_killed_and_leaves_no_process(conversations, tmp_path):
    """Kill -9 in the first file and after every new one, then to the end: the cache is that of an
    undisturbed run."""
    prepare(PrepareConfig(conversations, tmp_path / "whole", workers=1))
    out, kills = tmp_path / "cache", 0
    options = ["--data", str(conversations), "--out", str(out), "--workers", "2"]
    while True:
        assert kills < 50, "nothing of a run that is killed is kept"
        files = _finished if kills else _begun
        before = files(out)
        running = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("packing_slowly.py"), *options],
            stdout=subprocess.DEVNULL,
        )
        while (status := running.poll()) is None and files(out) <= before:
            time.sleep(0.01)
        if status is not None:
            break
        running.send_signal(signal.SIGSTOP)  # so that no worker starts while they are listed
        workers = children(running.pid)
        running.kill()
        running.wait()
        assert all_end(workers)
        kills += 1
    assert (status, kills > 2) == (0, True)
    assert contents(out) == contents(tmp_path / "whole")


def _finished(folder: Path) -> set[str]:
    """Without what is being written, which has another name in every run."""
    return {file for file in _begun(folder) if not Path(file).parent.name.startswith(".")}


def _begun(folder: Path) -> set[str]:
    """Finished or not; folders may vanish meanwhile."""
    return {os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names}
