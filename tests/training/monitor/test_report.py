"""The report of a run: parsed, and held against what was logged."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboardX import SummaryWriter

from jaxreact.errors import UserError
from jaxreact.training.logging import RunLog
from jaxreact.training.monitor.record import read_record
from jaxreact.training.monitor.report import write_training_report
from tests.html.reading import Page


def loss(step: int) -> float:
    return float(np.float32(4 / step))


def start_run(out: Path, kind: str = "tokenizer") -> Path:
    out.mkdir()
    config = {"kind": kind, "model": {"n_embd": 16}, "mean_face": [0.25] * 58, "note": "<a & b>"}
    (out / "config.json").write_text(json.dumps(config))
    return out


def log_steps(log: RunLog, steps: range, value: Callable[[int], float] = loss) -> None:
    for step in steps:
        log.step(step, {"loss": value(step), "learning_rate": 1e-3, "norm/updates": 1.0}, 1)


@pytest.fixture
def finished(tmp_path) -> Path:
    """A run of 100 steps whose third of four validations was the best."""
    out = start_run(tmp_path / "my run")
    with RunLog(out / "tensorboard", {}, 100, frames_per_step=8) as log:
        for epoch, value in enumerate((2.0, 1.0, 0.5, 0.75)):
            log_steps(log, range(25 * epoch + 1, 25 * epoch + 26))
            log.validation(25 * epoch + 25, {"loss": value, "accuracy": value / 10}, best=True)
        pixels = np.full((4, 6, 3), 200, np.uint8)
        log.pictures(50, {"traces": pixels // 2})
        log.pictures(100, {"traces": pixels, "heads": pixels})
    return out


def read(out: Path) -> Page:
    path = write_training_report(out)
    assert path == out / "training_report.html"
    return Page(path.read_text("utf-8"))


def test_the_numbers_are_those_that_were_logged(finished):
    page = read(finished)
    assert page.row("loss") == [loss(100), 0.75, 0.5, "75"]
    # Of an accuracy the greatest is the best.
    best = float(np.float32(0.2))
    assert page.row("accuracy") == ["", float(np.float32(0.075)), best, "25"]
    assert page.row("training/loss") == [loss(100), loss(100), loss(1), "100", "100"]
    assert page.row("training/learning_rate")[0] == float(np.float32(1e-3))
    assert "Finished." in page.text
    assert "100 of 100" in page.text
    assert "Training of a tokenizer" in page.text


def test_of_the_codebook_the_greatest_values_are_the_best(tmp_path):
    out = start_run(tmp_path / "run")
    with RunLog(out / "tensorboard", {}, 2) as log:
        for step, perplexity in enumerate((179.5, 58.5), 1):
            log.step(step, {"loss": 1.0}, 1)
            codes = {"codebook/perplexity": perplexity, "codebook/use": perplexity / 512}
            log.validation(step, {"loss": 1.0} | codes, best=True)
    page = read(out)
    assert page.row("codebook perplexity")[1:] == [58.5, 179.5, "1"]
    assert page.row("codebook use (share of the codes)")[2:] == [
        float(np.float32(179.5 / 512)),
        "1",
    ]


def test_curves_are_drawn_for_every_metric(finished):
    page = read(finished)
    labels = {attrs["aria-label"] for tag, attrs in page.tags if tag == "svg"}
    assert {"loss over steps", "accuracy over steps", "frames per second over steps"} <= labels
    lines = [attrs["d"] for tag, attrs in page.tags if attrs.get("class") == "line"]
    assert all(re.fullmatch(r"M[-\d. L]+", line) for line in lines)
    # What never changed is said, not drawn.
    assert "learning rate over steps" not in labels
    assert "learning rate 0.001" in page.text
    titles = [word for word in page.words if re.fullmatch(r"step \d+: .*", word)]
    assert "step 75: 0.5" in titles


def test_the_latest_pictures_are_in_the_page(finished):
    images = {attrs["alt"]: attrs["src"] for tag, attrs in read(finished).tags if tag == "img"}
    assert set(images) == {"traces, after step 100", "heads, after step 100"}
    kind, data = images["traces, after step 100"].split(",")
    assert kind == "data:image/png;base64"
    with Image.open(BytesIO(base64.b64decode(data))) as image:
        assert (np.asarray(image) == 200).all()


def test_the_configuration_is_there_collapsed_and_escaped(finished):
    page = read(finished)
    assert '"n_embd": 16' in page.text
    assert '"note": "<a & b>"' in page.text
    (details,) = [attrs for tag, attrs in page.tags if tag == "details"][1:]
    assert "open" not in details


def test_the_page_needs_nothing_from_outside(finished):
    page = read(finished)
    text = (finished / "training_report.html").read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    for _, attrs in page.tags:
        assert attrs.get("src", "data:").startswith("data:")
        assert "href" not in attrs
    metas = [attrs for tag, attrs in page.tags if tag == "meta"]
    assert {"charset": "utf-8"} in metas
    assert any(attrs.get("name") == "viewport" for attrs in metas)
    assert "prefers-color-scheme: dark" in text


def test_a_resumed_run_counts_each_step_once_and_the_latest_value(tmp_path, caplog):
    out = start_run(tmp_path / "run")
    first = RunLog(out / "tensorboard", {}, 10)
    log_steps(first, range(1, 9), lambda step: 100.0)
    first.close()  # killed after update 8; the state of update 5 was saved
    with RunLog(out / "tensorboard", {}, 10, start=5) as log:
        log_steps(log, range(6, 11))
    curve = read_record(out).curves["training/loss"]
    assert curve.steps.tolist() == list(range(1, 11))
    assert curve.values.tolist() == [100.0] * 5 + [loss(step) for step in range(6, 11)]
    page = read(out)
    assert "resumed 1 time" in page.text
    assert "resumed after step 5" in page.words
    assert caplog.text == ""  # TensorBoard's warning of repeated steps is no news


def test_steps_that_were_written_twice_without_a_mark_count_once(tmp_path):
    # As a SummaryWriter without purge_step leaves them.
    out = start_run(tmp_path / "run")
    for number, steps in enumerate((range(1, 9), range(5, 11))):
        writer = SummaryWriter(str(out / "tensorboard"), filename_suffix=f".{number}")
        for step in steps:
            writer.add_scalar("training/loss", 10.0 * number + step, step)
        writer.close()
    curve = read_record(out).curves["training/loss"]
    assert curve.steps.tolist() == list(range(1, 11))
    assert curve.values.tolist() == [1, 2, 3, 4, 15, 16, 17, 18, 19, 20]
    assert "The last entry is of step 10." in read(out).text


def test_a_run_that_goes_on(tmp_path):
    out = start_run(tmp_path / "run")
    log = RunLog(out / "tensorboard", {}, 100)
    log_steps(log, range(1, 4))
    log.flush()
    page = read(out)
    assert "Not finished: step 3 of 100." in page.text
    assert page.row("loss") == [loss(3), "", "", ""]
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert "Pictures" not in page.text
    log.close()


def test_a_run_that_has_not_logged_yet(tmp_path):
    out = start_run(tmp_path / "run")
    RunLog(out / "tensorboard", {}, 100).close()
    page = read(out)
    assert "No step has been logged yet." in page.text
    assert "Not finished: step 0 of 100." in page.text


def test_a_run_that_stopped_says_why_until_it_goes_on(tmp_path):
    out = start_run(tmp_path / "run")
    with RunLog(out / "tensorboard", {}, 9) as log:
        log_steps(log, range(1, 4))
        log.stopped(3, "SIGTERM")
    assert "Stopped after step 3: SIGTERM" in read(out).text
    with RunLog(out / "tensorboard", {}, 9, start=3) as log:
        log_steps(log, range(4, 6))
    assert "Not finished: step 5 of 9." in read(out).text


def test_an_event_file_that_was_cut_off_is_read_up_to_there(tmp_path):
    out = start_run(tmp_path / "run")
    with RunLog(out / "tensorboard", {}, 9) as log:
        log_steps(log, range(1, 6))
    (file,) = (out / "tensorboard").iterdir()
    file.write_bytes(file.read_bytes()[:-7])
    assert read_record(out).curves["training/loss"].steps.tolist() == [1, 2, 3, 4]


def test_values_that_are_not_finite_are_counted_not_drawn(tmp_path):
    out = start_run(tmp_path / "run")
    with RunLog(out / "tensorboard", {}, 3) as log:
        for step, value in enumerate((1.0, np.nan, 2.0), 1):
            log.step(step, {"loss": float(step), "accuracy": value}, 1)
    page = read(out)
    assert "1 not finite" in page.text
    assert "nan" not in "".join(attrs.get("d", "") for _, attrs in page.tags)


def test_directories_that_hold_no_training_are_named(tmp_path):
    with pytest.raises(UserError, match=r"no config.json here; give the directory of a training"):
        write_training_report(tmp_path)
    converted = start_run(tmp_path / "converted")
    with pytest.raises(UserError, match="converted: nothing in tensorboard/"):
        write_training_report(converted)
    (converted / "config.json").write_text("{")
    with pytest.raises(UserError, match=r"config.json: cannot be read"):
        write_training_report(converted)
    assert not list(tmp_path.rglob("*.html"))


def test_the_command(finished, tmp_path):
    command = [sys.executable, "-m", "jaxreact.training.monitor.report"]
    done = subprocess.run([*command, finished], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(finished / "training_report.html")
    assert done.stderr == ""
    failed = subprocess.run([*command, tmp_path], capture_output=True, text=True)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: ")
    assert failed.stderr.count("\n") == 1
