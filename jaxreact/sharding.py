"""Which device holds what: batches by rows, large variables in slices, the rest everywhere.

The mesh has two axes. A batch is cut over both. Parameters and all that has their shape (moments of
the optimizer) are cut over "fsdp" and repeated over "data" (Zhao et al. 2023, arXiv 2304.11277).
One rule, by shape, places every leaf: layers carry no annotations. Of layers whose variables are
joined each is cut alike, so that a device gathers one at a time.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import (
    AxisType,
    Mesh,
    NamedSharding,
    PartitionSpec,
    get_abstract_mesh,
    use_abstract_mesh,
)
from jaxtyping import Array, Shaped

from jaxreact.errors import UserError
from jaxreact.variables import axes_of_one

Tree = Any


@dataclass(frozen=True)
class DeviceMesh:
    """Places trees of arrays on the mesh of all devices of all processes."""

    mesh: Mesh
    min_sharded_size: int = 1 << 14
    """Elements from which a variable is cut: gathering a smaller one costs more than it saves."""

    @property
    def devices(self) -> int:
        return self.mesh.size

    @property
    def replicated(self) -> NamedSharding:
        """A whole copy on each device."""
        return NamedSharding(self.mesh, PartitionSpec())

    @property
    def batch(self) -> NamedSharding:
        """The first axis cut over all devices."""
        return NamedSharding(self.mesh, PartitionSpec(("data", "fsdp")))

    def shard_variables(self, tree: Tree) -> Tree:
        """A sharding for each leaf: its largest axis that divides is cut over "fsdp".

        Works on arrays and on abstract ones.
        """
        return jax.tree_util.tree_map_with_path(self._shard_variable, tree)

    def replicated_each(self, tree: Tree) -> Tree:
        """The sharding `replicated` for each leaf."""
        return jax.tree.map(lambda _: self.replicated, tree)

    def _shard_variable(self, path: tuple[Any, ...], leaf: Any) -> NamedSharding:
        count, first = self.mesh.shape["fsdp"], leaf.ndim - axes_of_one(path, leaf)
        axes = [axis for axis in range(first, leaf.ndim) if leaf.shape[axis] % count == 0]
        if count == 1 or not axes or np.prod(leaf.shape[first:]) < self.min_sharded_size:
            return self.replicated
        cut = max(axes, key=lambda axis: leaf.shape[axis])
        return NamedSharding(self.mesh, PartitionSpec(*[None] * cut, "fsdp"))

    def put(self, tree: Tree, shardings: Tree) -> Tree:
        """Places a tree that every process holds alike; none of its buffers are shared with it."""
        return jax.tree.map(_put, tree, shardings)

    def put_local_rows(self, batch: Tree) -> Tree:
        """Makes global batches of the rows that this process has read: its share, in its place."""
        return jax.tree.map(
            lambda rows: jax.make_array_from_process_local_data(self.batch, rows), batch
        )

    def put_global(self, batch: Tree) -> Tree:
        """Places a batch that every process has read whole.

        A last, smaller batch that cannot be cut evenly goes to every device.
        """
        even = len(jax.tree.leaves(batch)[0]) % self.devices == 0
        sharding = self.batch if even else self.replicated
        return jax.tree.map(lambda rows: _put(rows, sharding), batch)


def _put(leaf: Any, sharding: NamedSharding) -> jax.Array:
    host = np.asarray(leaf)
    return jax.make_array_from_callback(host.shape, sharding, lambda index: host[index].copy())


def make_device_mesh(fsdp: int = 1) -> DeviceMesh:
    """The mesh of all devices, `fsdp` of them to a copy of the parameters.

    Raises UserError where the number of devices is not a multiple of `fsdp`.
    """
    devices = jax.device_count()
    if fsdp < 1 or devices % fsdp:
        raise UserError(
            f"--loop.fsdp {fsdp} does not divide the {devices} devices; choose a divisor of them"
        )
    axes = (AxisType.Auto, AxisType.Auto)
    return DeviceMesh(jax.make_mesh((devices // fsdp, fsdp), ("data", "fsdp"), axis_types=axes))


def over(placed: Any) -> AbstractContextManager[Any]:
    """Tells what is traced meanwhile that batches are cut over the mesh of this sharding, if it has
    one, on which some argument lies: kernels are each device's own then (`over_rows`)."""
    mesh = placed.mesh if isinstance(placed, NamedSharding) else None
    if mesh is None or mesh.size == 1:
        return nullcontext()
    return use_abstract_mesh(mesh.abstract_mesh)


def devices_of_a_batch() -> int:
    """Those that share one where this is traced; 1 outside of `over`."""
    return max(1, get_abstract_mesh().size)


def cut_by_rows(x: Shaped[Array, "rows ..."]) -> Shaped[Array, "rows ..."]:
    """The same, of which each device has its own rows where these can be cut evenly, within `over`.

    Left to itself, the compiler cuts activations the way it finds variables cut, and sends them all
    from device to device and back in every layer, instead of gathering the smaller variables.
    """
    if devices_of_a_batch() == 1 or len(x) % devices_of_a_batch():
        return x
    return jax.lax.with_sharding_constraint(x, PartitionSpec(get_abstract_mesh().axis_names))


def over_rows(function: Callable[..., Tree], whole: Tree, *rows: Tree) -> Tree:
    """`function` of each device's own rows, first axes that are cut evenly, within `over`.

    It is given the number of its first row, `whole`, and the rows; what it returns are rows too.
    """
    axes = get_abstract_mesh().axis_names
    cut_over, everywhere = PartitionSpec(axes), PartitionSpec()

    def own(whole: Tree, *rows: Tree) -> Tree:
        count = len(jax.tree.leaves(rows)[0])
        return function(jax.lax.axis_index(axes) * count, whole, *rows)

    return jax.shard_map(
        own,
        in_specs=(everywhere, *[cut_over] * len(rows)),
        out_specs=cut_over,
        check_vma=False,
    )(whole, *rows)


def host() -> Any:
    """The processor of this machine.

    What begins a run are hundreds of small programs: they compile there in no time, on a GPU in
    minutes. Where JAX may not use it (JAX_PLATFORMS=cuda), the first device.
    """
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return jax.local_devices()[0]


def check_batch(batch_size: int, accumulate: int, mesh: DeviceMesh) -> None:
    """Raises UserError unless a batch can be cut over all devices and into `accumulate` parts."""
    unit = mesh.devices * accumulate
    if accumulate < 1 or batch_size % unit:
        raise UserError(
            f"--loop.batch-size {batch_size} is not a multiple of {mesh.devices} devices x"
            f" --loop.accumulate {accumulate}; choose a multiple of {max(unit, mesh.devices)}"
        )


def cut(rows: Shaped[Array, "rows ..."], parts: int) -> Shaped[Array, "parts rows_of_a_part ..."]:
    """Every `parts`-th row makes a part, so that each device finds its rows of a part among its
    own."""
    return rows.reshape(-1, parts, *rows.shape[1:]).swapaxes(0, 1)


def joined(parts: Shaped[Array, "parts rows_of_a_part ..."]) -> Shaped[Array, "rows ..."]:
    """The rows that `cut` has cut, in their order."""
    return parts.swapaxes(0, 1).reshape(-1, *parts.shape[2:])
