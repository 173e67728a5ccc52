"""One of several processes that save a best model and a last state at once, again and again.

python saving_processes.py COORDINATOR COUNT NUMBER FOLDER SAVES
"""

import random
import sys
import time
from pathlib import Path

import jax
import numpy as np

from jaxreact.checkpoints import Checkpoints
from jaxreact.sharding import make_device_mesh


def main() -> None:
    coordinator, count, number, folder, saves = sys.argv[1:]
    jax.distributed.initialize(coordinator, int(count), int(number))
    mesh = make_device_mesh()
    late = random.Random(int(number))  # every process is late at other moments
    with Checkpoints(Path(folder, "model")) as models, Checkpoints(Path(folder, "state")) as states:
        for step in range(int(saves)):
            arrays = {"x": jax.device_put(np.full(4, step), mesh.replicated)}
            models.save(step, arrays)
            time.sleep(late.uniform(0, 0.02))
            states.save(step, arrays)
            time.sleep(late.uniform(0, 0.02))
    print(models.latest(), states.latest())


if __name__ == "__main__":
    main()
