"""The benchmark of the whole table: its commands exist, and its table says what was measured."""

import re
from pathlib import Path

import pytest

from jaxreact.systems.belfusion import presets as belfusion
from jaxreact.systems.fiber import presets as fiber
from jaxreact.systems.framewise import presets as framewise
from jaxreact.systems.learning2listen import presets as learning2listen
from jaxreact.systems.trans_vae import presets as trans_vae
from jaxreact.training.command import parse

ROOT = Path(__file__).parents[1]
FOLDERS = {
    "fiber": fiber,
    "trans-vae": trans_vae,
    "belfusion": belfusion,
    "learning2listen": learning2listen,
    "framewise": framewise,
}
NAIVE = {"gt": 9.0, "mime": 1.0, "random": 0.1, "mean-sequence": 2.0, "mean-frame": 0.5}


@pytest.fixture(autouse=True)
def beside(monkeypatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def test_every_stage_is_a_training_command(tmp_path):
    from systems_rows import STAGES  # pyright: ignore[reportMissingImports]

    settings = {}
    for stage in STAGES:
        name, *words = stage.arguments("demo", tmp_path / "cache", tmp_path)
        folder, _, part = name.partition("/")
        settings[stage.folder] = parse(FOLDERS[folder].STAGES[part].presets, words)
    ours, original = settings["fiber/predictor"], settings["fiber_original/predictor"]
    assert ours.tokenizer == tmp_path / "fiber/tokenizer"
    assert ours.model.n_embd == original.model.n_embd
    assert (ours.model.block_causal, original.model.block_causal) == (True, False)
    assert (ours.model.temperature, original.model.temperature) == (0.5, 1.0)
    assert (ours.audio, original.audio, original.audio_context) == ("clip", "crop", 0)
    assert original.loop.optimizer.final_share == 1.0
    assert (settings["belfusion/k1"].samples, settings["belfusion/k10"].samples) == (1, 10)


def test_every_row_is_of_a_stage_that_comes_before():
    from systems_rows import ROWS, STAGES  # pyright: ignore[reportMissingImports]

    trained = {stage.folder for stage in STAGES}
    assert all({row.run, *row.stages} <= trained for row in ROWS)
    assert {folder for row in ROWS for folder in row.stages} == trained
    assert len({row.label for row in ROWS}) == len({row.folder for row in ROWS}) == len(ROWS) == 9


def _world(seed: int, add: float) -> dict:
    from systems_rows import ROWS, SCORES  # pyright: ignore[reportMissingImports]

    row = {
        "scores": {score: i + add for i, score in enumerate(SCORES)} | {"FRSyn": None},
        "intervals": {score: [i, i + 1] for i, score in enumerate(SCORES)} | {"FRSyn": [None] * 2},
        "training_s": 61.4,
        "training_peak_gib": 1.25,
        "generation_s": 9.6,
        "generation_peak_gib": 0.75,
        "parameters": 12345,
    }
    naive = {name: dict.fromkeys(SCORES, value) for name, value in NAIVE.items()}
    return {"seed": seed, "rows": {each.label: row for each in ROWS}, "baselines": naive}


def test_one_world_has_intervals_over_conversations():
    from systems_table import table  # pyright: ignore[reportMissingImports]

    lines = table([_world(0, 0.5)]).splitlines()
    scores = "| 0.50 (0.00 to 1.00) | 1.5 (1.0 to 2.0) | 2.5000 (2.0000 to 3.0000) |"
    assert sum(line.startswith(f"| Trans-VAE, online {scores}") for line in lines) == 1
    assert any(line.endswith("| 4.5000 (4.0000 to 5.0000) | - |") for line in lines)
    assert "| Mime | 1.00 | 1.0 | 1.0000 | 1.0000 | 1.0000 | 1.0 |" in lines
    assert "| Learning2Listen | 61 | 1.2 | 10 | 0.8 | 12,345 |" in lines
    published = lines[
        lines.index("Published, of REACT2024's validation split: other data, other pictures.") :
    ]
    assert "| Mime | 0.37 | 84.78 | 0.2117 | 0.0635 | 0.2483 | 43.5 |" in published


def test_several_worlds_have_intervals_over_worlds():
    from systems_table import table  # pyright: ignore[reportMissingImports]

    text = table([_world(0, 0.0), _world(1, 1.0), _world(2, 2.0)])
    found = re.search(r"FIBER, ours \| 1\.00 ± ([\d.]+) \|", text)
    assert found is not None
    assert float(found[1]) == pytest.approx(2.48, abs=0.01)  # Student's t with 2 degrees: 4.303/√3
    assert "| Random | 0.10 ± 0.00 |" in text
