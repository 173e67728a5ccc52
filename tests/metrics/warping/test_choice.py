"""`auto` takes the faster way, and says by how much."""

import time
from types import SimpleNamespace

import jax
import numpy as np
import pytest

from jaxreact.metrics.warping import choice, nearest, nearest_device
from jaxreact.metrics.warping.choice import faster
from jaxreact.metrics.warping.nearest import nearest_distances
from tests.metrics.warping.test_nearest import NEIGHBOURS, case


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """Time that goes by only when somebody says so."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now)
    return clock


@pytest.mark.parametrize(("device", "cores", "taken"), [(0.1, 0.2, "a GPU"), (0.2, 0.1, "the 2")])
def test_the_faster_is_taken_and_said(clock, capsys, device, cores, taken):
    calls = []

    def way(name: str, seconds: float):
        def compare() -> int:
            calls.append(name)
            clock.now += 100 if calls.count(name) == 1 else seconds  # the first compiles
            return 100

        return compare

    found = faster(2 * choice.WORTH_A_TRIAL, "a GPU", way("device", device), 2, way("cores", cores))
    assert found == (device < cores)
    assert calls == ["device"] * 2 + ["cores"] * 2
    said = capsys.readouterr().err
    assert (
        f"FRD: {100 / device:,.0f} warpings a second on a GPU, {100 / cores:,.0f} on 2 cores"
        in said
    )


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: memory\nof 16 GiB"),
            "RESOURCE_EXHAUSTED: memory",
        ),
        (ValueError(), "ValueError"),
    ],
)
def test_a_device_that_fails_is_not_taken(capsys, error, why):
    def failing() -> int:
        raise error

    assert not faster(2 * choice.WORTH_A_TRIAL, "a GPU", failing, 2, lambda: 1)
    assert capsys.readouterr().err == f"FRD: a GPU fails ({why}); the 2 cores it is\n"


def test_little_work_is_not_worth_a_trial(capsys):
    def never() -> int:
        raise AssertionError

    assert not faster(2 * choice.WORTH_A_TRIAL - 1, "a GPU", never, 2, never)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("elsewhere", [True, False])
def test_distances_are_the_same_whatever_is_taken(monkeypatch, capsys, elsewhere):
    """A real trial, of which the outcome is turned round."""
    expected = nearest_distances(*case("smooth"), NEIGHBOURS, kernel="cpu")
    used = []
    for name in ("on_cores", "on_device"):
        monkeypatch.setattr(nearest._Ways, name, noted(getattr(nearest._Ways, name), name, used))
    monkeypatch.setattr(choice, "WORTH_A_TRIAL", 0)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    rates = iter((2.0, 1.0) if elsewhere else (1.0, 2.0))
    monkeypatch.setattr(choice, "_each_second", lambda compare: compare() * 0 + next(rates))
    found = nearest_distances(*case("smooth"), NEIGHBOURS)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert used == ["on_device", "on_cores", "on_device" if elsewhere else "on_cores"]
    assert "FRD: " in capsys.readouterr().err


def noted(way, name: str, used: list[str]):
    def call(self, *arguments):
        used.append(name)
        return way(self, *arguments)

    return call


def test_a_batch_grows_with_the_devices_memory(monkeypatch):
    plain = nearest._memory_of_device()
    held = SimpleNamespace(memory_stats=lambda: {"bytes_limit": 8 * 2**31})
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "local_devices", lambda: [held])
    assert nearest._memory_of_device() == 8 * plain
    pairs = [nearest_device.most_pairs(memory, *case("smooth")) for memory in (plain, 8 * plain)]
    assert pairs == [2048, 16384]
