"""What tests of several modules share."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

# Before JAX reads it: commands, also in processes of their own, leave the user's cache alone.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "0"

import jax
import pytest

from tests import checking

checking.leave_compiled_functions_unchecked()

from jaxreact import runs  # noqa: E402 (after what it is checked by)
from jaxreact.media.sound import read_native_audio  # noqa: E402
from jaxreact.rendering.pirender.load import FACE_GENERATOR  # noqa: E402
from jaxreact.simulation import SimulateConfig, simulate  # noqa: E402
from jaxreact.tracking.no_opengl import drawing_modules_optional  # noqa: E402
from jaxreact.training.memory import give_back_memory  # noqa: E402
from jaxreact.variables import variables_of  # noqa: E402
from tests.clips import BUNNY, CARPHONE, decode, write_clip  # noqa: E402
from tests.rendering.pirender.weights import SMALL, SMALL_CONFIG, generator, tensors  # noqa: E402

QUICK = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
"""Not optimizing, XLA writes loops sooner by its older way than by MLIR, and in one part sooner
than in many: half the processor time of the tests of systems. JAX 0.11 has no other way."""


def pytest_configure(config: pytest.Config) -> None:
    """Has XLA compile fast tests' programs, which is most of what they do, as is quickest: not
    optimized. Those of slow tests are, as users' are."""
    if config.option.markexpr.startswith("slow"):
        return
    jax.config.update("jax_disable_most_optimizations", True)
    if jax.__version_info__[:2] != (0, 10):
        return
    given = os.environ.get("XLA_FLAGS")
    os.environ["XLA_FLAGS"] = f"{QUICK} {given or ''}"
    jax.devices()  # reads them
    if given is None:
        del os.environ["XLA_FLAGS"]  # what tests start compiles as it does for users
    else:
        os.environ["XLA_FLAGS"] = given


@pytest.fixture(scope="module", autouse=True)
def _compiled_programs() -> Iterator[None]:
    """Programs of one module are of no use to the next, and JAX keeps each for ever."""
    yield
    jax.clear_caches()
    gc.collect()
    give_back_memory()


@pytest.fixture(autouse=True)
def _unchecked(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where a test gives what the annotations forbid, to see the package's own answer to it."""
    if request.node.get_closest_marker("wrong_arguments") is None:
        yield
        return
    with checking.unchecked():
        yield


@pytest.fixture(scope="session")
def conversations(tmp_path_factory) -> Path:
    """A data set in the REACT2024 layout: four simulated conversations of five seconds."""
    root = tmp_path_factory.mktemp("conversations") / "data"
    simulate(SimulateConfig(root, split=(2, 1, 1), seconds=5.0, workers=1))
    return root


@pytest.fixture
def mediapipe() -> None:
    """Skips a test where it is not installed."""
    with drawing_modules_optional():
        pytest.importorskip("mediapipe", exc_type=ModuleNotFoundError)


@pytest.fixture(scope="session")
def talking(tmp_path_factory) -> Path:
    """The man in the car, with the sound of another clip."""
    waveform, rate = read_native_audio(BUNNY, duration=4.1)
    path = tmp_path_factory.mktemp("talking") / "talking.mp4"
    return write_clip(path, *decode(CARPHONE), (waveform, rate))


@pytest.fixture(scope="session")
def pirender(tmp_path_factory) -> Path:
    """The run directory of a small face generator with random weights."""
    model = generator(SMALL_CONFIG, tensors(**SMALL))
    path = tmp_path_factory.mktemp("generator") / "pirender"
    runs.save_model(path, FACE_GENERATOR, model.config, variables_of(model))
    return path
