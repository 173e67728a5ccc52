"""What a GPU's compiler makes of the large programs, and how long it takes: without a GPU.

    pip install "jax[cuda13]"
    python benchmarks/compiling.py --out benchmarks/results/compiling.json
    python benchmarks/compiling.py --shared --out benchmarks/results/compiling_shared.json

XLA compiles for an H200 that need not be there, kernels of Triton's included; only products are not
tried out. Each program once as commands compile it and once without our options of the compiler
(`jaxreact/nn/compiling.py`). `gigabytes` counts what the launched kernels read and write, which
over 4.3 TB/s is the least that it can take; it is an estimate from shapes (`compiled_text.py`), of
each array once: warping goes over its own many times. Of several GPUs all is of one, and
`exchanged_gigabytes` what it sends and what it gets.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import jax
import numpy as np
import tyro
from compiled_text import traffic
from flax import nnx
from gpu_models import Sizes
from jax.experimental import topologies
from jax.sharding import AbstractDevice, AbstractMesh, AxisType, Mesh, use_abstract_mesh
from record import machine, write
from training_workload import Known, batch

from jaxreact import runs
from jaxreact.commands import keep_programs, run_command
from jaxreact.errors import UserError
from jaxreact.metrics.warping import dtw_gpu
from jaxreact.nn.compiling import FOR_A_GPU
from jaxreact.nn.precision import products_in
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.fiber.config import AUDIO_FEATURES, AUDIO_RATE, PredictorConfig
from jaxreact.systems.fiber.generation import generate
from jaxreact.systems.fiber.kinds import PREDICTOR
from jaxreact.systems.sampling import Sampling


class Program(NamedTuple):
    kind: str
    rows: int
    """Of a batch, samples of one clip of 736 frames, or pairs of 750 frames each."""
    precision: str
    known: Known = "nothing"
    """What of the batch was computed before."""
    devices: int = 1
    fsdp: int = 1
    """Of these that share one copy of the variables."""


STEPS = (
    Program("predictor", 16, "tensorfloat32"),
    Program("predictor", 64, "bfloat16"),
    Program("predictor", 64, "bfloat16", "codes"),
    Program("predictor", 64, "bfloat16", "codes and features"),
    Program("tokenizer", 8, "tensorfloat32"),
    Program("tokenizer", 64, "bfloat16"),
)
SHARED = tuple(
    Program("predictor", 512, "bfloat16", "codes and features", 8, fsdp) for fsdp in (1, 8)
)
GENERATION = Program("generation", 10, "tensorfloat32", "codes and features")
WARPING = Program("warping", 8192, "float32")
FRAMES = 736
ENVIRONMENT = {
    "JAX_PLATFORMS": "cpu,cuda",
    # It would ask a driver, which is not there.
    "JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1",
    "JAXREACT_FUSED_ATTENTION": "on",
}
H200 = """
gpu_device_info {
  threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048 core_count: 132
  shared_memory_per_block: 49152 shared_memory_per_core: 233472
  shared_memory_per_block_optin: 232448 registers_per_core_limit: 65536
  registers_per_block_limit: 65536 fpus_per_core: 128 clock_rate_ghz: 1.98
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: 4800000000000 l2_cache_size: 62914560 device_memory_size: 150000000000
  cuda_compute_capability { major: 9 minor: 0 }
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 12 patch: 0 }
device_description_str: "NVIDIA H200"
"""
CORES = 132


class Elsewhere(DeviceMesh):
    """Devices on which nothing can be placed: what would be has a shape and a place."""

    def put(self, tree: Any, shardings: Any) -> Any:
        return jax.tree.map(
            lambda leaf, sharding: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding),
            tree,
            shardings,
        )


@dataclass(frozen=True)
class Config:
    """What to compile."""

    out: Path | None = None
    """JSON to write; printed in any case."""
    shared: bool = False
    """Programs of several GPUs instead of one's."""
    one: tuple[str, int, str, Known, int, int, str] | None = None
    """A program, and "ours" or "plain" options: compiles this here, prints a line."""


def step(
    mesh: DeviceMesh, kind: str, rows: int, precision: str, known: Known
) -> tuple[Any, tuple[Any, ...]]:
    """The step of a stage, and the shapes of what it is given."""
    stage = Sizes(small=False).stage(kind, rows, precision)
    given = {
        name: jax.ShapeDtypeStruct(part.shape, part.dtype, sharding=mesh.batch)
        for name, part in batch(kind, rows, known).items()
    }
    return stage.step(0), (stage.state, stage.frozen, given)


def generation(mesh: DeviceMesh, samples: int, precision: Any) -> tuple[Any, tuple[Any, ...]]:
    """The same of generation, for one clip."""
    graph, state = runs.abstract_model(PREDICTOR, PredictorConfig(codebook_size=1000))

    def generated(state: Any, audio: jax.Array, codes: jax.Array, keys: jax.Array) -> jax.Array:
        with products_in(precision):
            model = nnx.merge(graph, state)
            return generate(model, audio, codes, Sampling(), keys, samples)

    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), (1, samples)))
    audio = jax.ShapeDtypeStruct((1, AUDIO_RATE * FRAMES, AUDIO_FEATURES), np.float32)
    given = (state, audio, jax.ShapeDtypeStruct((1, FRAMES), np.int32), keys)
    place = mesh.replicated
    return jax.jit(generated), jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place), given
    )


def warping(mesh: DeviceMesh, pairs: int) -> tuple[Any, tuple[Any, ...]]:
    """The same of FRD's distances."""
    emotions = jax.ShapeDtypeStruct((pairs, 750, 25), np.float32, sharding=mesh.replicated)
    return dtw_gpu.dtw, (emotions, emotions)


def compiled(
    kind: str, rows: int, precision: str, known: Known, count: int, fsdp: int, options: str
) -> dict[str, Any]:
    """What becomes of a program for `count` devices; launches and the rest are of one of them."""
    devices = topologies.get_topology_desc(
        platform="cuda", topology_name="h200", topology=f"1x1x{count}", target_config=H200
    ).devices
    axes = (AxisType.Auto, AxisType.Auto)
    places = np.array(devices).reshape(-1, fsdp)
    mesh = Elsewhere(Mesh(places, ("data", "fsdp"), axis_types=axes))
    there = AbstractMesh((), (), abstract_device=AbstractDevice("NVIDIA H200", CORES, "gpu"))
    with (
        mock.patch("jax.default_backend", return_value="gpu"),
        mock.patch("gpu_models.make_device_mesh", return_value=mesh),
        mock.patch("jaxreact.training.step.compiler_options", return_value=None),
        mock.patch("jaxreact.metrics.warping.dtw_gpu.triton_runs", return_value=True),
        use_abstract_mesh(there),
    ):
        if kind == "generation":
            program, given = generation(mesh, rows, precision)
        elif kind == "warping":
            program, given = warping(mesh, rows)
        else:
            program, given = step(mesh, kind, rows, precision, known)
        began = time.perf_counter()
        lowered = program.trace(*given).lower(lowering_platforms=("cuda",))
    traced = time.perf_counter()
    done = lowered.compile(compiler_options=dict(FOR_A_GPU) if options == "ours" else None)
    ended = time.perf_counter()
    launches, moved, exchanged = traffic(done.as_text())
    return {
        "tracing_s": round(traced - began, 1),
        "compiling_s": round(ended - traced, 1),
        "launches": launches,
        "gigabytes": round(moved / 1e9, 1),
        **({"exchanged_gigabytes": round(exchanged / 1e9, 2)} if count > 1 else {}),
        "temporary_gib": round(done.memory_analysis().temp_size_in_bytes / 2**30, 2),
    }


def measured(kind: str, *others: Any) -> dict[str, Any]:
    """`compiled` in a process of its own. Raises `UserError` where it fails."""
    words = [sys.executable, __file__, "--one", kind, *map(str, others)]
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    if done.returncode:
        last = "".join(done.stderr.strip().splitlines()[-1:])
        raise UserError(f"{kind}: {last}; is jax[cuda13] installed?")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    config = tyro.cli(Config, description=__doc__)
    if config.one is not None:
        keep_programs("off")
        print(json.dumps(compiled(*config.one)))
        return
    load = os.getloadavg()[0]
    found: dict[str, Any] = {}
    if config.shared:
        named = "{} step, batch {}, {}, {} known, {} devices, fsdp {}"
        names = {named.format(*step): step for step in SHARED}
    else:
        names = {"{} step, batch {}, {}, {} known".format(*step): step for step in STEPS}
        names["{}, {} samples, {}".format(*GENERATION)] = GENERATION
        names["{}, {} pairs, {}".format(*WARPING)] = WARPING
    for name, program in names.items():
        found[name] = {options: measured(*program, options) for options in ("plain", "ours")}
        print(name, found[name], flush=True)
    write({"options": FOR_A_GPU, "programs": found, **machine(load)}, config.out)


if __name__ == "__main__":
    run_command(main, keep=False)
