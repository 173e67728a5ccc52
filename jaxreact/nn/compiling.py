"""How a GPU's compiler is to go about the large programs: training steps and models."""

from functools import cache

import jax

Option = str | bool

FOR_A_GPU: dict[str, Option] = {
    # Searches for the faster of two ways to write each fused loop, by compiling and running both.
    "xla_gpu_experimental_enable_fusion_autotuner": False,
    # Products of matrices as kernels of Triton's, dozens of which are compiled for every shape to
    # find the fastest; cuBLAS has them ready.
    "xla_gpu_enable_triton_gemm": False,
    # Norms as kernels of Triton's, which other loops are then tried to be fused with, one by one:
    # a third of the time of compiling, and no less memory is read and written.
    "xla_disable_hlo_passes": "triton-softmax-rewriter",
}
"""Together they compile a predictor's training step in less than half the time
(benchmarks/results/compiling.json)."""


@cache
def compiler_options() -> dict[str, Option] | None:
    """What `jax.jit` takes as `compiler_options` here: None but on a GPU.

    An option that this release of XLA does not know is left out.
    """
    if jax.default_backend() != "gpu":
        return None
    return {name: value for name, value in FOR_A_GPU.items() if _is_known(name, value)}


def _is_known(name: str, value: Option) -> bool:
    try:
        jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
    except (jax.errors.JaxRuntimeError, ValueError, TypeError):
        return False
    return True
