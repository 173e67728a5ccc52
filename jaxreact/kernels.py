"""Where kernels of ours, by Pallas and Triton, run."""

import jax


def triton_runs() -> bool:
    """Whether JAX's devices are GPUs of NVIDIA's that Triton compiles for: Ampere or newer."""
    if jax.default_backend() != "gpu":
        return False
    capability = str(getattr(jax.local_devices()[0], "compute_capability", ""))  # of AMD's "gfx90a"
    major = capability.partition(".")[0]
    return major.isdecimal() and int(major) >= 8
