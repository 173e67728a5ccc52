"""What a run writes and prints: read back by TensorBoard's own reader, timed by a false clock."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from jaxreact.errors import UserError
from jaxreact.training.logging import RunLog
from jaxreact.training.monitor.speed import Speed


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def events(directory: Path) -> EventAccumulator:
    return EventAccumulator(str(directory), {"scalars": 0, "tensors": 0, "images": 0}).Reload()


def points(directory: Path, tag: str) -> list[tuple[int, float]]:
    reader = events(directory)
    if tag not in reader.Tags()["scalars"]:
        return []
    return [(event.step, event.value) for event in reader.Scalars(tag)]


def texts(directory: Path, tag: str) -> list[Any]:
    reader = events(directory)
    if f"{tag}/text_summary" not in reader.Tags()["tensors"]:
        return []
    found = reader.Tensors(f"{tag}/text_summary")
    return [json.loads(event.tensor_proto.string_val[0]) for event in found]


def run(log: RunLog, steps: range, clock: Clock | None = None, seconds: float = 1.0, every=1):
    """Logs updates of which update n has the loss 1/n, `seconds` apart."""
    for step in steps:
        log.step(step, {"loss": jnp.asarray(1 / step)}, every)
        if clock:
            clock.now += seconds


def timed(directory: Path, total: int = 20, **options: Any) -> tuple[RunLog, Clock]:
    log, clock = RunLog(directory, {}, total, **options), Clock()
    log.speed.clock = clock
    return log, clock


def test_every_nth_step_and_the_last_are_written(tmp_path):
    with RunLog(tmp_path, {}, total=8) as log:
        run(log, range(1, 9), every=3)
    wanted = [(step, np.float32(1 / step)) for step in (3, 6, 8)]
    assert points(tmp_path, "training/loss") == wanted


def test_validations_are_written_under_their_own_tags(tmp_path, capsys):
    with RunLog(tmp_path, {}, total=2) as log:
        run(log, range(1, 3))
        log.validation(2, {"loss": 0.25, "accuracy": 0.5}, best=True)
    assert points(tmp_path, "validation/loss") == [(2, 0.25)]
    assert points(tmp_path, "validation/accuracy") == [(2, 0.5)]
    assert points(tmp_path, "training/accuracy") == []
    assert "step 2: validation loss 0.2500, best so far" in capsys.readouterr().err


def test_the_configuration_and_the_start_are_written(tmp_path):
    RunLog(tmp_path, {"epochs": 3}, 9, 6, frames_per_step=512, peak_flops=1e12).close()
    started = texts(tmp_path, "started")[0]
    assert (started["start"], started["total"]) == (6, 9)
    assert started["frames_per_step"] == 512
    assert started["device"] == "1 x cpu"
    config = events(tmp_path).Tensors("config/text_summary")[0].tensor_proto.string_val[0]
    assert b'"epochs": 3' in config


def test_rates_leave_out_the_first_step_which_compiles(tmp_path):
    log, clock = timed(tmp_path, frames_per_step=100, flops_per_step=3e12, peak_flops=24e12)
    with log:
        log.step(1, {"loss": 1.0}, 1)
        clock.now += 60  # compiling
        run(log, range(2, 8), clock, 0.5)
    tag = "training/{}_per_second".format
    # The clock starts where update 1 is known to be computed: when update 2 was dispatched.
    assert points(tmp_path, tag("steps")) == [(step, 2.0) for step in range(2, 8)]
    assert points(tmp_path, tag("frames")) == [(step, 200.0) for step in range(2, 8)]
    assert points(tmp_path, tag("teraflops")) == [(step, 6.0) for step in range(2, 8)]
    utilisation = points(tmp_path, "training/model_flop_utilisation_percent")
    assert utilisation == [(step, 25.0) for step in range(2, 8)]


def test_without_a_known_peak_there_is_no_utilisation(tmp_path):
    log, clock = timed(tmp_path, flops_per_step=3e12)
    with log:
        run(log, range(1, 4), clock)
    assert points(tmp_path, "training/teraflops_per_second")
    assert points(tmp_path, "training/model_flop_utilisation_percent") == []
    assert points(tmp_path, "training/frames_per_second") == []


def test_rates_leave_out_pauses(tmp_path):
    log, clock = timed(tmp_path)
    with log:
        run(log, range(1, 6), clock, every=5)
        with log.paused():
            clock.now += 300  # a validation
        run(log, range(6, 11), clock, every=5)
    assert points(tmp_path, "training/steps_per_second") == [(5, 1.0), (10, 1.0)]


def test_time_left_counts_pauses():
    clock = Clock()
    speed = Speed(clock=clock)
    assert speed.seconds_left(0, 10) is None
    speed.start(1)
    assert speed.seconds_left(1, 10) is None
    with speed.pause():
        clock.now += 3
    clock.now += 3
    assert speed.seconds_left(4, 10) == 12.0
    assert speed.rates(4) == {"steps_per_second": 1.0}
    assert speed.rates(4) == {}  # no step since


def test_plain_lines_come_at_once_and_then_every_ten_seconds(tmp_path, capsys):
    log, clock = timed(tmp_path, total=100, frames_per_step=8)
    with log:
        run(log, range(1, 31), clock)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "step 1/100: loss 1.0000"
    assert lines[1:] == [
        "step 11/100: loss 0.0909, 1.00 steps/s, 8 frames/s, 01:29 left",
        "step 21/100: loss 0.0476, 1.00 steps/s, 8 frames/s, 01:19 left",
    ]


def test_a_silent_process_writes_and_prints_nothing_but_stops_with_the_others(tmp_path, capsys):
    with RunLog(tmp_path / "tensorboard", {}, 9, active=False) as log:
        run(log, range(1, 4))
        log.validation(3, {"loss": 1.0}, best=True)
        log.pictures(3, {"traces": np.zeros((4, 4, 3), np.uint8)})
        log.stopped(3, "SIGTERM")
        log.flush()
        log.step(4, {"loss": np.nan}, 1)
        with pytest.raises(UserError, match="the loss is nan between steps 3 and 4"):
            log.step(5, {"loss": 1.0}, 1)
    assert capsys.readouterr() == ("", "")
    assert not (tmp_path / "tensorboard").exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_parameters_that_are_not_finite_stop_the_run(tmp_path, bad):
    with RunLog(tmp_path, {}, 9) as log:
        log.step(1, {"loss": 1.0, "norm/parameters": 5.0}, 1)
        log.step(2, {"loss": 1.0, "norm/parameters": jnp.asarray(bad)}, 1)
        with pytest.raises(UserError, match=f"norm of the parameters is {bad} between .* 1 and 2"):
            log.flush()


def pause(log: RunLog) -> None:
    with log.paused():
        pass


@pytest.mark.parametrize("leave", [RunLog.flush, pause, lambda log: log.__exit__(None, None, None)])
def test_what_is_pending_is_checked_before_a_save_and_at_the_end(tmp_path, leave):
    log = RunLog(tmp_path, {}, 9)
    log.step(1, {"loss": jnp.asarray(np.nan)}, 1)
    with pytest.raises(UserError, match="between steps 0 and 1"):
        leave(log)


def test_a_step_that_is_not_written_is_checked_before_a_save_too(tmp_path):
    with RunLog(tmp_path, {}, 9) as log:
        log.step(5, {"loss": 1.0}, 5)
        log.step(6, {"loss": jnp.asarray(np.nan)}, 5)
        with pytest.raises(UserError, match="between steps 5 and 6"):
            log.flush()


def test_pictures_come_back_as_they_were(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)
    with RunLog(tmp_path, {}, 4) as log:
        log.pictures(2, {"traces": pixels})
    (event,) = events(tmp_path).Images("pictures/traces")
    assert event.step == 2
    with Image.open(BytesIO(event.encoded_image_string)) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_resumed_run_shows_no_point_twice(tmp_path):
    first = RunLog(tmp_path, {}, 8)
    run(first, range(1, 7))
    first.flush()  # and killed here; the state of update 4 was saved
    with RunLog(tmp_path, {}, 8, start=4) as log:
        assert [step for step, _ in points(tmp_path, "training/loss")] == [1, 2, 3, 4]
        run(log, range(5, 9))
    assert points(tmp_path, "training/loss") == [(n, np.float32(1 / n)) for n in range(1, 9)]


def test_what_was_flushed_outlives_a_killed_process(tmp_path):
    log = RunLog(tmp_path, {}, 8)
    run(log, range(1, 4))
    log.flush()
    assert [step for step, _ in points(tmp_path, "training/loss")] == [1, 2, 3]
    log.close()


def test_a_run_says_why_it_stopped(tmp_path, capsys):
    with RunLog(tmp_path / "told", {}, 9) as log:
        run(log, range(1, 4))
        log.stopped(3, "SIGTERM; go on with --resume")
    assert texts(tmp_path / "told", "stopped") == [
        {"step": 3, "reason": "SIGTERM; go on with --resume"}
    ]
    assert "stopped after step 3 of 9: SIGTERM" in capsys.readouterr().err
    log = RunLog(tmp_path / "both", {}, 9)
    log.stopped(0, "SIGTERM")
    log.__exit__(UserError, UserError("stopped"), None)
    assert [note["reason"] for note in texts(tmp_path / "both", "stopped")] == ["SIGTERM"]
    log = RunLog(tmp_path / "broken", {}, 9, start=2)
    run(log, range(3, 6))
    log.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert texts(tmp_path / "broken", "stopped") == [{"step": 5, "reason": "KeyboardInterrupt"}]
    with RunLog(tmp_path / "whole", {}, 2) as log:
        run(log, range(1, 3))
    assert texts(tmp_path / "whole", "stopped") == []
