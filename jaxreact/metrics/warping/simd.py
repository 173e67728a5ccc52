"""Sixteen float32 side by side, as a type that numba can compute with.

LLVM makes one AVX-512 register of it, two of AVX2, four of NEON. Loops over lanes that are left to
its vectoriser gave a tenth of the speed, since it can not know that arrays do not overlap.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 16
_VECTOR = ir.VectorType(ir.FloatType(), LANES)
_ALIGNMENT = 64  # bytes; loads that cross cache lines take twice as long

instruction: Any = intrinsic
"""`intrinsic`, whose functions are called without their first argument."""


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_lanes = _Lanes()


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: types.Type) -> None:
        super().__init__(manager, numba_type, _VECTOR)


def aligned(*shape: int) -> np.ndarray:
    """An empty float32 array for `load` and `store`, which fail on any other alignment."""
    size = 4 * int(np.prod(shape))
    memory = np.empty(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(np.float32).reshape(shape)


def _spread(builder: Any, value: Any) -> Any:
    """`value` in every lane."""
    empty = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(first, empty, zeros)


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer())


@instruction
def spread(_: Any, value: Any) -> Any:
    """The float32 `value` in every lane."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return _lanes(types.float32), code


@instruction
def load(_: Any, array: Any, index: Any) -> Any:
    """Lanes from a flat aligned array; `index` is in units of one lane, a multiple of 16."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, signature.args[0], *arguments)
        return builder.load(address, align=_ALIGNMENT)

    return _lanes(array, types.intp), code


@instruction
def store(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Lanes into a flat aligned array, as in `load`."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, value = arguments
        address = _address(context, builder, signature.args[0], array, index)
        builder.store(value, address, align=_ALIGNMENT)
        return context.get_dummy_value()

    return types.void(array, types.intp, _lanes), code


@instruction
def add_squared_distance(_: Any, total: Any, x: Any, y: Any) -> Any:
    """total + (x - y)^2 of lanes `total` and `x` and one float32 `y`, the last rounding fused."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total, x, y = arguments
        step = builder.fsub(x, _spread(builder, y))
        square = builder.fmul(step, step, flags=("contract",))
        return builder.fadd(total, square, flags=("contract",))

    return _lanes(_lanes, _lanes, types.float32), code


@instruction
def add(_: Any, x: Any, y: Any) -> Any:
    """Sums of two lanes."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments)

    return _lanes(_lanes, _lanes), code


@instruction
def least(_: Any, x: Any, y: Any) -> Any:
    """The smaller of two lanes; neither may be NaN."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *arguments), *arguments)

    return _lanes(_lanes, _lanes), code
