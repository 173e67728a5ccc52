"""One way of `benchmarks/gpu.py` in a process of its own: prints a line of JSON.

python benchmarks/gpu_ways.py --sizes released|small NAME [ARGUMENT ...]
"""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import jax

sys.path.insert(0, str(Path(__file__).parents[1]))  # its tests hold the golden numbers

from gpu_generation import codes, generation, passes, stream, streams
from gpu_kernels import frd, kernel, pirender, pytorch3d
from gpu_measuring import Found
from gpu_models import Sizes
from gpu_originals import original, original_generation
from gpu_parity import parity
from gpu_steps import step, train

from jaxreact.commands import keep_programs

FUNCTIONS: dict[str, Callable[..., Found]] = {
    function.__name__: function
    for function in (
        *(step, generation, passes, stream, streams, kernel, parity, codes, frd, pytorch3d),
        *(pirender, original, original_generation, train),
    )
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", choices=("released", "small"), default="released")
    parser.add_argument("--original", type=Path)
    parser.add_argument("name", choices=FUNCTIONS)
    parser.add_argument("arguments", nargs="*")
    given = parser.parse_args()
    keep_programs(os.environ.get("JAX_COMPILATION_CACHE_DIR"))
    more = {} if given.original is None else {"checkout": given.original}
    with contextlib.redirect_stdout(sys.stderr):
        found = FUNCTIONS[given.name](Sizes(given.sizes == "small"), *given.arguments, **more)
    device = jax.devices()[0].device_kind
    print(json.dumps({"device": device, **found}))


if __name__ == "__main__":
    main()
