"""The originals' half of `benchmarks/systems_speed.py`: a worker that makes passes when told to.

    python benchmarks/systems_speed_original.py JOB CHECKOUT FOLDER CLIPS CROP

Builds the released-size models of a checkout of the original's repository. Their random weights
are read from FOLDER, or written there as the checkpoints that its training would leave. Then each
line on stdin is answered by one pass. What the original's files import besides, and a pass does not
need, is replaced by empty modules. CLIPS of CROP frames are the batch of a training step of
Trans-VAE.
"""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from side_by_side import serve
from systems_speed_workload import JOBS

REPLACED = (
    "cv2",
    "matplotlib",
    "matplotlib.pyplot",
    "omegaconf",
    "scipy",
    "scipy.io",
    "seaborn",
    "six",
    "torchvision",
)


class StandIn(ModuleType):
    """A module that has an empty class for every name."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def on_this_processor() -> None:
    """Lets code that asks for a GPU, or for a tensor's number of one, run without any."""

    def itself(thing: Any, *_: Any, **__: Any) -> Any:
        return thing

    torch.Tensor.cuda = torch.nn.Module.cuda = itself  # pyright: ignore
    torch.Tensor.get_device = lambda self: "cpu"  # pyright: ignore


@torch.no_grad()
def moved(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Every weight moved off its initial value, so that no part of a model is idle."""
    torch.manual_seed(seed)
    for parameter in model.parameters():
        parameter.add_(0.02 * torch.randn_like(parameter))
    return model


def loaded_or_saved(model: torch.nn.Module, path: Path, **more: Any) -> torch.nn.Module:
    """The model with the weights of a checkpoint, which is written where there is none."""
    if path.exists():
        model.load_state_dict(torch.load(path, weights_only=True)["state_dict"])
        return model
    path.parent.mkdir(parents=True, exist_ok=True)
    state = moved(model, 0).state_dict()
    torch.save({"epoch": 0, "state_dict": state, "optimizer": {}, **more}, path)
    return model


def main() -> None:
    job, checkout, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    clips, crop = map(int, sys.argv[4:6])
    sys.path.insert(
        0, str(checkout / "src" if JOBS[job].checkout == "learning2listen" else checkout)
    )
    sys.modules |= {name: StandIn(name) for name in REPLACED}
    sys.modules["six"].string_types = str  # pyright: ignore
    on_this_processor()
    torch.manual_seed(0)
    with redirect_stdout(sys.stderr):  # what it prints is no answer
        if JOBS[job].system == "trans-vae":
            from systems_speed_trans_vae import build
        elif JOBS[job].checkout == "learning2listen":
            from systems_speed_learning2listen import build
        else:
            from systems_speed_belfusion import build
        one_pass = build(job, checkout, folder, clips, crop)
    serve(one_pass, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
