"""Which axis is cut, and which rows make a part; shardings are made, nothing is placed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from jaxreact.sharding import DeviceMesh, cut, joined, make_device_mesh


def mesh_of(fsdp: int, data: int = 1) -> DeviceMesh:
    """A mesh of one device many times: enough to make shardings of."""
    devices = np.array(jax.devices()[:1] * (data * fsdp)).reshape(data, fsdp)
    return DeviceMesh(Mesh(devices, ("data", "fsdp")), min_sharded_size=64)


@pytest.mark.parametrize(
    ("shape", "spec"),
    [
        ((8, 32), (None, "fsdp")),
        ((32, 8), ("fsdp",)),
        ((4, 16, 8), (None, "fsdp")),
        ((4, 8, 16), (None, None, "fsdp")),
        ((33, 8), (None, "fsdp")),  # the largest does not divide
        ((33, 9), ()),
        ((8, 8), ("fsdp",)),  # just large enough, and the first of equals
        ((4, 15), ()),  # one axis divides, but it is too small
        ((64,), ("fsdp",)),
        ((), ()),
    ],
)
def test_the_largest_axis_that_divides_is_cut(shape, spec):
    leaf = jax.ShapeDtypeStruct(shape, jnp.float32)
    found = mesh_of(4).shard_variables({"w": leaf})["w"]
    assert found.spec == PartitionSpec(*spec)
    assert found.mesh.shape == {"data": 1, "fsdp": 4}


def test_nothing_is_cut_without_fsdp():
    leaf = jax.ShapeDtypeStruct((512, 512), jnp.float32)
    assert mesh_of(1, data=4).shard_variables(leaf).spec == PartitionSpec()


def test_small_variables_are_left_whole():
    one = make_device_mesh()
    assert one.min_sharded_size == 16384
    mesh = DeviceMesh(mesh_of(4).mesh)
    assert mesh.shard_variables(jnp.zeros((128, 127))).spec == PartitionSpec()
    assert mesh.shard_variables(jnp.zeros((128, 128))).spec == PartitionSpec("fsdp")


def test_batches_are_cut_over_all_devices():
    mesh = mesh_of(2, data=2)
    assert mesh.batch.spec == PartitionSpec(("data", "fsdp"))
    assert mesh.replicated.spec == PartitionSpec()
    assert mesh.devices == 4
    each = mesh.replicated_each({"a": 1, "b": 2})
    assert [sharding.spec for sharding in each.values()] == [PartitionSpec()] * 2


@pytest.mark.parametrize(("rows", "cut_evenly"), [(4, True), (6, False), (8, True)])
def test_a_batch_that_cannot_be_cut_goes_everywhere(monkeypatch, rows, cut_evenly):
    mesh, used = mesh_of(2, data=2), []
    monkeypatch.setattr("jaxreact.sharding._put", lambda rows, sharding: used.append(sharding.spec))
    mesh.put_global({"x": np.zeros(rows)})
    assert used == [mesh.batch.spec if cut_evenly else mesh.replicated.spec]


def test_parts_are_every_nth_row_and_go_back_to_their_places():
    rows = jnp.arange(12.0).reshape(6, 2)
    parts = cut(rows, 3)
    np.testing.assert_array_equal(parts[:, :, 0], [[0, 6], [2, 8], [4, 10]])
    np.testing.assert_array_equal(joined(parts), rows)


@pytest.mark.parametrize(
    ("shape", "spec"),
    [
        ((512, 8, 32), (None, None, "fsdp")),  # never the axis of the layers
        ((64, 33, 9), ()),
        ((64, 8, 7), ()),  # each layer is too small, however many there are
        ((64,), ()),
    ],
)
def test_layers_are_cut_alike(shape, spec):
    tree = {"h": {"each": {"w": jax.ShapeDtypeStruct(shape, jnp.float32)}}}
    found = mesh_of(4).shard_variables(tree)["h"]["each"]["w"]
    assert found.spec == PartitionSpec(*spec)
