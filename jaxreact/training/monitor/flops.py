"""Operations of a traced function, and what a device could do at best.

Model FLOP utilisation is the one divided by the other (Chowdhery et al. 2022, PaLM, appendix B):

    count_flops(step, state, batch) * steps_per_second / (devices * peak_flops(device, precision))
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jax.interpreters.partial_eval import dce_jaxpr


def count_flops(function: Callable[..., Any], *arguments: Any) -> float:
    """Operations of the matrix products and convolutions of one call; a multiply-add counts two.

    Only what the result needs counts: the compiler, too, leaves out what nothing uses, such as
    gradients of parameters that are not trained. `arguments` are arrays or `jax.ShapeDtypeStruct`s,
    or trees of them; nothing is computed or compiled. Where the function is sharded, this is the
    work of all devices together.

    - A `scan` counts as often as it runs, a `while` loop once (how often it runs is not known
      before), of a `cond` the largest branch.
    - What rematerialisation computes a second time counts too. Model FLOPs do not contain it: for
      a utilisation count the function without remat.
    - A convolution counts where its window meets data: no padding, no holes of dilation. So the
      gradient by the input of a strided convolution costs what the convolution does.
    - Everything else counts nothing: elementwise work, gathers, ragged products, and kernels of
      which JAX does not see the inside (Pallas, custom calls).
    """
    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    return _of_jaxpr(dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))[0])


def _of_jaxpr(jaxpr: Jaxpr | ClosedJaxpr) -> float:
    return float(sum(_of_equation(equation) for equation in jaxpr.eqns))


def _of_equation(equation: JaxprEqn) -> float:
    name, params = equation.primitive.name, equation.params
    if name == "dot_general":
        return _of_product(equation)
    if name == "conv_general_dilated":
        return _of_convolution(equation)
    if name == "pallas_call":
        return 0.0
    inner = [_of_jaxpr(jaxpr) for jaxpr in _jaxprs(params)]
    if name == "cond":
        return max(inner)
    if name == "scan":
        return params["length"] * sum(inner)
    if name == "shard_map":
        return _shards(params) * sum(inner)
    return sum(inner)


def _jaxprs(params: dict[str, Any]) -> Iterator[Jaxpr | ClosedJaxpr]:
    """The functions inside an equation: those of loops, branches, jit, remat, custom gradients."""
    for value in params.values():
        for entry in value if isinstance(value, tuple | list) else (value,):
            if isinstance(entry, Jaxpr | ClosedJaxpr):
                yield entry


def _shards(params: dict[str, Any]) -> int:
    """How many devices run the body of a shard_map, each on its part."""
    axes = params.get("newly_manual_axes", params.get("manual_axes"))
    sizes = dict(params["mesh"].shape)
    return math.prod(sizes[axis] for axis in (axes or sizes))


def _of_product(equation: JaxprEqn) -> float:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape  # pyright: ignore[reportAttributeAccessIssue]
    out = equation.outvars[0].aval.shape  # pyright: ignore[reportAttributeAccessIssue]
    return 2.0 * math.prod(out) * math.prod(left[axis] for axis in contracted)


def _of_convolution(equation: JaxprEqn) -> float:
    """Two operations for each pair of an output and an input that it sees.

    A kernel holds the channels of one group only, so groups need no extra factor.
    """
    params, numbers = equation.params, equation.params["dimension_numbers"]
    left, kernel = (x.aval.shape for x in equation.invars)  # pyright: ignore
    out = equation.outvars[0].aval.shape  # pyright: ignore[reportAttributeAccessIssue]
    total = 2.0 * out[numbers.out_spec[0]] * out[numbers.out_spec[1]] * kernel[numbers.rhs_spec[1]]
    for axis, (before, _) in enumerate(params["padding"]):
        total *= _meetings(
            length=left[numbers.lhs_spec[2 + axis]],
            taps=kernel[numbers.rhs_spec[2 + axis]],
            outputs=out[numbers.out_spec[2 + axis]],
            stride=params["window_strides"][axis],
            before=before,
            holes=params["lhs_dilation"][axis],
            spread=params["rhs_dilation"][axis],
        )
    return total


def _meetings(
    *, length: int, taps: int, outputs: int, stride: int, before: int, holes: int, spread: int
) -> int:
    """Pairs of an output position and a tap of the kernel that fall on data, along one axis.

    `before` is the padding in front, `holes` the dilation of the data, `spread` the kernel's.
    """
    position, tap = np.arange(outputs) * stride - before, np.arange(taps) * spread
    few, many = sorted((position, tap), key=len)
    total = 0
    for value in few:  # the other way round would hold outputs x taps at once
        at = many + value
        total += int(np.sum((at >= 0) & (at < (length - 1) * holes + 1) & (at % holes == 0)))
    return total
