"""Options of the compiler: on a GPU those that its release knows, elsewhere none."""

from types import SimpleNamespace
from typing import Any

import jax
import pytest
from flax import nnx

from jaxreact.nn import compiled, compiling
from jaxreact.training import step


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


@pytest.mark.wrong_arguments  # nothing is traced
def test_steps_and_models_are_compiled_so(monkeypatch):
    seen = []

    def jit(function: Any, **options: Any) -> Any:
        seen.append(options["compiler_options"])
        return len

    monkeypatch.setattr(jax, "jit", jit)
    for module in (step, compiled):
        monkeypatch.setattr(module, "compiler_options", lambda: {"as": "wanted"})
    step.make_step(None, None, None, None, None)  # pyright: ignore[reportArgumentType]
    step.make_evaluation(None, None)  # pyright: ignore[reportArgumentType]
    model: Any = nnx.Linear(1, 1, rngs=nnx.Rngs(0))
    model.config = SimpleNamespace()
    compiled.Compiled(model, {}, "new")._jit(None)
    assert seen == [{"as": "wanted"}] * 3
