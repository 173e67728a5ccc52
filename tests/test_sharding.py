"""The same training on one device and on many; rules of mesh."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxreact import runs
from jaxreact.errors import UserError
from jaxreact.sharding import check_batch, make_device_mesh
from jaxreact.simulation import SimulateConfig, simulate
from jaxreact.systems.fiber.kinds import TOKENIZER
from jaxreact.systems.fiber.tokenizer import FaceTokenizerConfig
from tests.own_process import printed
from tests.test_runs import variables
from tests.training.eight_devices import HARDEST, MESHES, OTHERS

ON_THE_HARDEST = ("predictor, by kernels", *OTHERS)
KINDS = ("fsq", "vq", "lfq", "predictor", *ON_THE_HARDEST)


@pytest.fixture(scope="module")
def losses(tmp_path_factory) -> dict:
    """What `eight_devices.py` prints."""
    folder = tmp_path_factory.mktemp("runs")
    run, split = folder / "tokenizer", (8, 1, 1)
    simulate(SimulateConfig(folder / "data", split=split, seconds=5.0, workers=1, pictures=32))
    config = FaceTokenizerConfig(n_embd=16, n_head=2, n_layer=1, quantize_levels=(4, 3, 3))
    runs.save_model(run, TOKENIZER, config, variables("tokenizer", config))
    return printed("tests.training.eight_devices", run, folder, devices=8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "mesh"),
    [
        (kind, mesh)
        for kind in KINDS
        for mesh in (HARDEST if kind in ON_THE_HARDEST else MESHES)
        if mesh != "1"
    ],
)
def test_losses_do_not_depend_on_the_devices(losses, kind, mesh):
    one = losses[kind]["1"]["losses"]
    assert len(set(one)) == len(one)  # the parameters move, and batches differ
    np.testing.assert_allclose(losses[kind][mesh]["losses"], one, rtol=1e-5)


@pytest.mark.slow
def test_kernels_of_each_device_give_what_is_written_out(losses):
    written_out, kernels = (
        losses[kind]["1"]["losses"] for kind in ("predictor", ON_THE_HARDEST[0])
    )
    np.testing.assert_allclose(kernels, written_out, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_fsdp_cuts_parameters_and_moments(losses, kind):
    for mesh, found in losses[kind].items():
        if "fsdp" in mesh:
            assert found["cut"] > found["leaves"] / 4  # norms and counts are small
        else:
            assert found["cut"] == 0


def test_a_batch_that_cannot_be_cut():
    mesh = make_device_mesh()
    check_batch(8, 4, mesh)
    message = r"--loop\.batch-size 9 is not a multiple of 1 devices x --loop.accumulate 2"
    with pytest.raises(UserError, match=message):
        check_batch(9, 2, mesh)
    with pytest.raises(UserError, match="accumulate 0"):
        check_batch(9, 0, mesh)


def test_devices_that_cannot_be_grouped():
    with pytest.raises(UserError, match=r"--loop\.fsdp 3 does not divide the 1 devices"):
        make_device_mesh(3)


def test_a_placed_array_shares_nothing_with_its_source():
    mesh = make_device_mesh()
    source = {"w": np.ones(4, np.float32)}
    placed = mesh.put(source, mesh.shard_variables(source))
    source["w"][:] = 2
    assert jnp.all(placed["w"] == 1)
