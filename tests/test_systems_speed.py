"""Our half of the benchmark of the other systems, at tiny sizes, and what is told of both."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jaxreact import runs
from jaxreact.systems.belfusion.config import DenoiserConfig, EmotionVAEConfig
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER
from jaxreact.systems.trans_vae.config import TransVAEConfig
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.variables import variables_of
from tests.systems.learning2listen.models import SMALL_CODER, SMALL_LISTENER

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def beside(monkeypatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def save(directory: Path, kind: runs.Kind, config: Any, **extra: Any) -> None:
    variables = variables_of(runs.new_model(kind, config, 0))
    runs.save_model(directory, kind, config, variables, **extra)


def run_of(job: str, run: Path) -> Path:
    """The run directory of a small system that a job needs."""
    vae = EmotionVAEConfig(window_size=25, hidden_dim=8, z_dim=8, emb_dims=(8,))
    if job.startswith("trans-vae"):
        sizes = TransVAEConfig(features=8, online=True, window=16, mode="original", image_size=28)
        save(run, TRANS_VAE, sizes)
    elif job == "belfusion-vae-step":
        save(run, VAE, vae)
    elif job.startswith("belfusion"):
        sizes = DenoiserConfig(8, num_hid_channels=16, num_layers=2, window_size=25)
        save(run, DENOISER, sizes)
        save(run / "vae", VAE, vae, mean_face=[0.0] * 58)
    else:
        of_listener, of_coder = SMALL_LISTENER, SMALL_CODER
        if job == "learning2listen-corrected":
            of_listener = dataclasses.replace(of_listener, mode="corrected")
            of_coder = dataclasses.replace(of_coder, code_layout="time")
        save(run, LISTENER, of_listener)
        save(run / "vqvae", CODER, of_coder)
    return run


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::jaxreact.errors.Remark")
@pytest.mark.parametrize(
    ("job", "told"),
    [
        ("trans-vae", {"coeffs": (5, 58), "emotion": (5, 25)}),
        ("trans-vae-step", {"loss": ()}),
        ("belfusion", {"coeffs": (2, 2, 58), "emotion": (2, 2, 25)}),
        ("belfusion-vae-step", {"loss": ()}),
        ("belfusion-denoiser-step", {}),
        ("learning2listen", {"codes": (1, 4), "decoded": (1, 32, 56), "logits": (1, 24)}),
        ("learning2listen-corrected", {"codes": (1, 4), "decoded": (1, 32, 56), "logits": (1, 24)}),
    ],
)
def test_our_half(tmp_path, job, told):
    import systems_speed_ours  # pyright: ignore[reportMissingImports]
    from side_by_side import Stages  # pyright: ignore[reportMissingImports]
    from systems_speed_workload import SIZES  # pyright: ignore[reportMissingImports]

    one_pass = systems_speed_ours.PASSES[job](run_of(job, tmp_path / "run"), SIZES["tiny"])
    stages = Stages()
    result = one_pass(stages, 1)
    assert stages.seconds["pass"]["wall"] > 0
    shapes = {name: np.shape(x) for name, x in result.items() if x is not None}
    assert shapes == told


def answer(seconds: float, peak: float, **result: Any) -> dict[str, Any]:
    clocks = {"wall": seconds, "cpu": 2 * seconds}
    return {"seconds": {"pass": clocks}, "peak_gib": peak, "result": result}


def test_what_is_told_of_both_halves():
    from systems_speed_table import Measured, row  # pyright: ignore[reportMissingImports]

    mine = [answer(9, 1, emotion=[[0.5]]), answer(2, 3), answer(3, 4)]
    theirs = [answer(8, 2, emotion=[[0.25]]), answer(6, 2)]
    found = row("belfusion", Measured(mine, theirs), {"cores": 2})
    assert found["wall"] == {"ours": 2, "original": 6, "times_faster": 3}
    assert found["cpu"] == {"ours": 4, "original": 12, "times_faster": 3}
    assert found["ours_compiling"] == {"wall": 7, "cpu": 14}
    assert found["peak_memory_gib"] == {"ours": 4, "original": 2}
    assert found["agreement"]["emotion_off_by_at_most"] == 0.25
    assert found["passes"] == {"ours": 2, "original": 2}
    assert found["cores"] == 2
    assert "extrapolated" not in found


def test_what_the_original_did_not_do_is_multiplied():
    from systems_speed_table import Measured, row  # pyright: ignore[reportMissingImports]

    mine, theirs = [answer(100, 6, loss=1.0)], [answer(30, 4, loss=1.0)]
    mine[0]["seconds"]["compiling"] = {"wall": 50, "cpu": 60}
    found = row("trans-vae-step", Measured(mine, theirs, [answer(10, 2)], 1, 128), {})
    times = 4 * (16 * 17) / (8 * 9)  # clips, and pairs of windows of which one encodes the other
    assert found["wall"]["original"] == round(30 * times)
    assert found["original_measured"]["wall"] == 30
    assert found["ours_with_the_clips_of_the_original"]["times_faster"]["wall"] == 3
    assert found["ours_compiling"] == {"wall": 50, "cpu": 60}
    ten = row("trans-vae", Measured(mine, theirs), {})
    assert ten["wall"]["original"] == 300


def test_what_cannot_be_measured(tmp_path):
    from systems_speed import Config, check  # pyright: ignore[reportMissingImports]

    from jaxreact.errors import UserError

    with pytest.raises(UserError, match="holds no clone of baseline_react2024"):
        check(Config(tmp_path))
    with pytest.raises(UserError, match="--jobs fiber: no such job"):
        check(Config(tmp_path, ("fiber",)))
