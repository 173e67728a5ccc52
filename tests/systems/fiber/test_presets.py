"""The recipes, in numbers: whatever changes one of them changes this table too."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from jaxreact.systems.fiber.presets import PREDICTOR_PRESETS, TOKENIZER_PRESETS

PRESETS = {"tokenizer": TOKENIZER_PRESETS, "predictor": PREDICTOR_PRESETS}

RELEASED = {
    "tokenizer": {
        "clip_frames": 736,
        "emotion_phase": 0.8,
        "quantize_weight": 1.0,
        "emotion_weight": 1.0,
        "rotation_weight": 1.0,
        "model.block_size": 32,
        "model.n_embd": 252,
        "model.n_head": 12,
        "model.n_layer": 12,
        "model.dropout": 0.1,
        "model.bias": False,
        "model.quantize_type": "fsq",
        "model.quantize_codebook_size": 2048,
        "model.quantize_levels": (8, 5, 5, 5),
        "model.quantize_decay": 0.8,
        "model.quantize_commitment_weight": 1.0,
        "model.init_std": 0.02,
        "model.input_init_std": 0.02,
        "model.relative_pose": False,
        "loop.epochs": 200,
        "loop.batch_size": 8,
        "loop.validate_every": 2,
        "loop.seed": 0,
        "loop.precision": "tensorfloat32",
        "loop.accumulate": 1,
        "loop.optimizer.learning_rate": 1e-3,
        "loop.optimizer.weight_decay": 0.1,
        "loop.optimizer.beta1": 0.9,
        "loop.optimizer.beta2": 0.95,
        "loop.optimizer.epsilon": 1e-8,
        "loop.optimizer.warmup_steps": 300,
        "loop.optimizer.warmup_start": 1e-4,
        "loop.optimizer.final_share": 1.0,
    },
    "predictor": {
        "new_patch_only": False,
        "past_mask_probability": 0.5,
        "audio": "crop",
        "audio_context": 0,
        "validation_windows": 1,
        "untrained_encoder": None,
        "model.vocab_size": 2048,
        "model.vocab_face_size": 2048,
        "model.vocab_sound_size": 320,
        "model.codebook_size": None,
        "model.block_size": 256,
        "model.patch_size": 32,
        "model.n_embd": 360,
        "model.n_head": 12,
        "model.n_layer": 8,
        "model.dropout": 0.1,
        "model.bias": True,
        "model.sound_factor": 2,
        "model.use_wav2vec2_feature": True,
        "model.is_twisted": False,
        "model.gate_init": 0.0,
        "model.init_std": 0.02,
        "model.temperature": 1.0,
        "model.mixed_masks": False,
        "model.block_causal": False,
        "loop.epochs": 1000,
        "loop.batch_size": 16,
        "loop.validate_every": 2,
        "loop.precision": "tensorfloat32",
        "loop.accumulate": 1,
        "loop.optimizer.learning_rate": 1e-3,
        "loop.optimizer.weight_decay": 0.1,
        "loop.optimizer.warmup_steps": 200,
        "loop.optimizer.warmup_start": 1e-6,
        "loop.optimizer.final_share": 1.0,
    },
}
"""The original's recipe."""

DIFFERENT = {
    ("tokenizer", "improved"): {
        "emotion_weight": 6.0,
        "rotation_weight": 8.0,
        "model.input_init_std": 0.5,
        "model.relative_pose": True,
        "loop.optimizer.final_share": 0.05,
    },
    ("tokenizer", "demo"): {
        "clip_frames": 128,
        "emotion_weight": 6.0,
        "rotation_weight": 8.0,
        "model.n_embd": 96,
        "model.n_head": 4,
        "model.n_layer": 2,
        "model.dropout": 0.0,
        "model.input_init_std": 0.5,
        "model.relative_pose": True,
        "loop.epochs": 40,
        "loop.validate_every": 5,
        "loop.optimizer.warmup_steps": 100,
        "loop.optimizer.final_share": 0.05,
    },
    ("predictor", "improved"): {
        "audio": "clip",
        "validation_windows": 6,
        "model.gate_init": 1.0,
        "model.init_std": 0.05,
        "model.temperature": 0.5,
        "model.block_causal": True,
        "loop.validate_every": 10,
        "loop.optimizer.final_share": 0.05,
    },
    ("predictor", "demo"): {
        "audio": "clip",
        "validation_windows": 6,
        "untrained_encoder.conv_dim": (16, 32, 32, 64, 64, 64, 512),
        "model.vocab_size": 1000,
        "model.vocab_face_size": 1000,
        "model.block_size": 128,
        "model.n_embd": 96,
        "model.n_head": 4,
        "model.n_layer": 1,
        "model.dropout": 0.0,
        "model.gate_init": 1.0,
        "model.init_std": 0.1,
        "model.temperature": 0.5,
        "model.block_causal": True,
        "loop.epochs": 80,
        "loop.validate_every": 10,
        "loop.optimizer.warmup_steps": 60,
        "loop.optimizer.final_share": 0.05,
    },
}
"""How the others depart from it."""


def flat(fields: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested fields under dotted names."""
    found = {}
    for name, value in fields.items():
        inner = flat(value, f"{before}{name}.") if isinstance(value, dict) else None
        found |= {before + name: value} if inner is None else inner
    return found


def recipe(stage: str, preset: str) -> dict[str, Any]:
    paths = {"data": Path("x"), "out": Path("y")}
    if stage == "predictor":
        paths["tokenizer"] = Path("t")
    return flat(dataclasses.asdict(PRESETS[stage][preset](**paths)))


@pytest.mark.parametrize("stage", PRESETS)
def test_the_released_recipe_is_the_originals(stage):
    found = recipe(stage, "react2024")
    assert {name: found.get(name) for name in RELEASED[stage]} == RELEASED[stage]


@pytest.mark.parametrize(("stage", "preset"), DIFFERENT)
def test_how_the_other_recipes_depart_from_it(stage, preset):
    released, found = recipe(stage, "react2024"), recipe(stage, preset)
    encoder = {  # has no counterpart, and more than its widths are wav2vec2's
        name for name in found if name.startswith("untrained_encoder.") and "conv_dim" not in name
    }
    missing = object()
    different = {
        name: value
        for name, value in found.items()
        if released.get(name, missing) != value and name not in encoder
    }
    assert different == DIFFERENT[stage, preset]
