"""Which backend is taken, and what is said when it cannot be."""

import sys
from types import ModuleType

import numpy as np
import pytest

from jaxreact.errors import UserError
from jaxreact.rendering import backends, choose_backend, render_frames

MODULE = "jaxreact.rendering.backends.pytorch3d"


def stand_in(cuda: bool) -> ModuleType:
    """The backend's module on a machine with PyTorch3D, with or without a CUDA device."""
    module = ModuleType(MODULE)
    module.sees_cuda = lambda: cuda  # pyright: ignore[reportAttributeAccessIssue]
    return module


@pytest.fixture
def installed(monkeypatch):
    def install(cuda: bool) -> None:
        monkeypatch.setattr(backends, "find_spec", lambda name: name == "pytorch3d")
        monkeypatch.setitem(sys.modules, MODULE, stand_in(cuda))

    return install


@pytest.fixture
def broken(monkeypatch):
    """A pytorch3d that is there and cannot be imported (one built for another torch)."""
    monkeypatch.setattr(backends, "find_spec", lambda name: name == "pytorch3d")
    monkeypatch.setitem(sys.modules, MODULE, None)


@pytest.mark.parametrize(
    ("cuda", "shading", "expected"),
    [(True, "flat", "pytorch3d"), (True, "smooth", "cpu"), (False, "flat", "cpu")],
)
def test_auto_takes_pytorch3d_for_flat_pictures_on_cuda(installed, cuda, shading, expected):
    installed(cuda)
    assert choose_backend("auto", shading) == expected
    assert choose_backend("cpu", shading) == "cpu"


def test_pytorch3d_can_be_asked_for_without_a_cuda_device(installed):
    installed(cuda=False)
    assert choose_backend("pytorch3d", "flat") == "pytorch3d"


def test_auto_does_without_a_pytorch3d_that_is_missing_or_broken(monkeypatch, broken):
    assert choose_backend("auto", "flat") == "cpu"
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    assert choose_backend("auto", "flat") == "cpu"


def test_asking_for_a_missing_pytorch3d_says_how_to_install_it(broken):
    with pytest.raises(UserError, match=r"pip install -e \"\.\[render\]\" .*source"):
        render_frames(np.zeros((1, 58)), shading="flat", backend="pytorch3d")


def test_pytorch3d_refuses_smooth_pictures_and_names_what_draws_them(installed):
    installed(cuda=True)
    with pytest.raises(UserError, match="cpu"):
        render_frames(np.zeros((1, 58)), shading="smooth", backend="pytorch3d")


def test_smooth_pictures_do_not_wait_for_torch(monkeypatch):
    monkeypatch.setattr(backends, "find_spec", pytest.fail)
    assert choose_backend("auto", "smooth") == "cpu"
    assert choose_backend() == "cpu"


@pytest.mark.wrong_arguments
def test_unknown_names_are_refused():
    with pytest.raises(UserError, match="auto, cpu, pytorch3d"):
        choose_backend("opengl")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="smooth, flat"):
        choose_backend("auto", "toon")  # pyright: ignore[reportArgumentType]
