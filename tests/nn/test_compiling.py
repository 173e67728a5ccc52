"""Options of the compiler: on a GPU those that its release knows, elsewhere none."""

import jax
import pytest

from jaxreact.nn import compiling


@pytest.fixture(autouse=True)
def _asked_anew():
    compiling.compiler_options.cache_clear()
    yield
    compiling.compiler_options.cache_clear()


def test_only_a_gpu_is_told_how():
    assert compiling.compiler_options() is None


def test_what_a_release_does_not_know_is_left_out(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setitem(compiling.FOR_A_GPU, "xla_gpu_of_another_year", True)
    options = compiling.compiler_options()
    assert options == {k: v for k, v in compiling.FOR_A_GPU.items() if k[-4:] != "year"}
