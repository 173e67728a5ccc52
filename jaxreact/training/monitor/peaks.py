"""What a device could compute a second at best, from its maker's specification."""

from typing import Protocol, runtime_checkable

PRECISIONS = ("bfloat16", "float16", "tensorfloat32", "float32")
"""What matrix products can compute in."""


def _nvidia(half: float, tf32: float, single: float) -> dict[str, float]:
    """Peaks of a GPU with bfloat16 and TF32 tensor cores, in TFLOP/s without sparsity."""
    return {"bfloat16": half, "float16": half, "tensorfloat32": tf32, "float32": single}


# NVIDIA's data sheets and, of GeForce cards, its architecture papers (half precision with float32
# accumulation). They often print figures with sparsity, twice of what dense matrices get.
_H100 = _nvidia(989.4, 494.7, 66.9)
_H100_NVL = _nvidia(835.5, 417.5, 60.0)
_A100 = _nvidia(312.0, 156.0, 19.5)
_V100 = {"float16": 125.0, "float32": 15.7}
_V100_PCIE = {"float16": 112.0, "float32": 14.0}
# Google Cloud's pages on each TPU version; one JAX device is one chip from v4 on.
_V5E, _V5P, _V6E = {"bfloat16": 197.0}, {"bfloat16": 459.0}, {"bfloat16": 918.0}

TFLOPS: dict[str, dict[str, float]] = {
    "NVIDIA H200": _H100,
    "NVIDIA H200 NVL": _H100_NVL,
    "NVIDIA H100 80GB HBM3": _H100,
    "NVIDIA H100 NVL": _H100_NVL,
    "NVIDIA H100 PCIe": _nvidia(756.0, 378.0, 51.0),
    "NVIDIA A100-SXM4-40GB": _A100,
    "NVIDIA A100-SXM4-80GB": _A100,
    "NVIDIA A100-PCIE-40GB": _A100,
    "NVIDIA A100 80GB PCIe": _A100,
    "NVIDIA L4": _nvidia(121.0, 60.0, 30.3),
    "NVIDIA L40S": _nvidia(362.0, 183.0, 91.6),
    "NVIDIA GeForce RTX 4090": _nvidia(165.2, 82.6, 82.6),
    "NVIDIA GeForce RTX 3090": _nvidia(71.0, 35.6, 35.6),
    "Tesla V100-SXM2-16GB": _V100,
    "Tesla V100-SXM2-32GB": _V100,
    "Tesla V100-PCIE-16GB": _V100_PCIE,
    "Tesla V100-PCIE-32GB": _V100_PCIE,
    "Tesla T4": {"float16": 65.0, "float32": 8.1},
    "TPU v4": {"bfloat16": 275.0},
    "TPU v5 lite": _V5E,
    "TPU v5e": _V5E,
    "TPU v5": _V5P,
    "TPU v5p": _V5P,
    "TPU v6 lite": _V6E,
    "TPU v6e": _V6E,
}
"""Dense peaks in TFLOP/s by `device_kind`, then by precision."""


@runtime_checkable
class Device(Protocol):
    """A `jax.Device`, as far as this module cares."""

    @property
    def device_kind(self) -> str: ...


def peak_flops(device: Device, precision: str) -> float | None:
    """Operations a second that one device can do at best, dense; None where that is not known.

    `precision` names what matrix products compute in: "bfloat16", "float16", "tensorfloat32" (what
    JAX does by default with float32 on NVIDIA GPUs from Ampere on) or "float32". A device kind is
    matched exactly: a guess from a similar name (a card with fewer cores, half a GPU) would give a
    utilisation that is wrong without anybody noticing. Raises ValueError for another precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision: {precision!r} is not one of {', '.join(PRECISIONS)}")
    tflops = TFLOPS.get(device.device_kind, {}).get(precision)
    return None if tflops is None else tflops * 1e12
