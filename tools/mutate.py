"""Changes a module of the package here and there, and says which changes no test notices.

    python -m venv MUTATION && MUTATION/bin/pip install "cosmic-ray==8.7.0"
    python tools/mutate.py jaxreact/training/step.py --tool MUTATION/bin

Works on a copy of the repository; each change costs one run of the tests that match the module
(`MATCHING`, or those given). Prints the changes that survived and how many did.
"""

import dataclasses
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import tyro

ROOT = Path(__file__).parents[1]

FIBER, TRAINING, METRICS = "tests/systems/fiber/", "tests/training/", "tests/metrics/"
BELFUSION, TRANS_VAE = "tests/systems/belfusion/", "tests/systems/trans_vae/"
LISTENING = "tests/systems/learning2listen/"
MATCHING = {
    "jaxreact/sharding.py": (
        "tests/test_sharding_rule.py",
        "tests/test_sharding.py",
        "tests/nn/test_attend_devices.py",
    ),
    "jaxreact/devices.py": ("tests/test_devices.py", "tests/nn/test_attend_fused.py"),
    "jaxreact/nn/attention.py": ("tests/nn/test_attention.py", FIBER + "test_keys.py"),
    "jaxreact/nn/attend.py": ("tests/nn/test_attention.py", "tests/nn/test_attend_fused.py"),
    "jaxreact/nn/attend_fused.py": (
        "tests/nn/test_attend_fused.py",
        "tests/nn/test_attend_devices.py",
    ),
    "jaxreact/nn/compiled.py": ("tests/nn/test_precision.py", "tests/nn/test_compiled.py"),
    "jaxreact/nn/attend_kernels.py": ("tests/nn/test_attend_fused.py",),
    "jaxreact/nn/dropout.py": ("tests/nn/test_dropout.py", FIBER + "test_keys.py"),
    "jaxreact/nn/layers.py": ("tests/nn/test_layers.py", FIBER + "test_keys.py"),
    "jaxreact/nn/precision.py": ("tests/nn/test_precision.py", TRAINING + "test_execution.py"),
    "jaxreact/variables.py": ("tests/test_variables.py",),
    "jaxreact/profiling.py": ("tests/test_profiling.py",),
    "jaxreact/training/update.py": (TRAINING + "test_update.py",),
    "jaxreact/metrics/warping/choice.py": (METRICS + "warping/test_choice.py",),
    "jaxreact/metrics/warping/dtw_gpu.py": (METRICS + "warping/test_dtw_gpu.py",),
    "jaxreact/metrics/warping/nearest_device.py": (METRICS + "warping/test_nearest_device.py",),
    "jaxreact/rendering/backends/bins.py": ("tests/rendering/backends/test_bins.py",),
    "jaxreact/nn/quantizers.py": ("tests/nn/test_quantizers.py", FIBER + "test_tokenizer.py"),
    "jaxreact/training/step.py": (TRAINING + "test_wiring.py", TRAINING + "test_step.py"),
    "jaxreact/training/stage.py": (TRAINING + "test_stage.py",),
    "jaxreact/training/loop.py": (TRAINING + "test_loop.py", TRAINING + "test_stage.py"),
    "jaxreact/training/saving.py": (TRAINING + "test_saving.py", TRAINING + "test_loop.py"),
    "jaxreact/training/microbatches.py": (TRAINING + "test_wiring.py",),
    "jaxreact/training/optimizer.py": (TRAINING + "test_optimizer.py",),
    "jaxreact/training/batches.py": (TRAINING + "test_stage.py",),
    "jaxreact/training/codebook.py": (
        FIBER + "test_losses.py",
        TRAINING + "monitor/test_naming.py",
    ),
    "jaxreact/systems/fiber/losses.py": (FIBER + "test_losses.py", FIBER + "test_relative_pose.py"),
    "jaxreact/systems/fiber/windows.py": (
        FIBER + "test_generation_wiring.py",
        FIBER + "test_generation.py",
        FIBER + "test_streaming.py",
    ),
    "jaxreact/systems/fiber/generation.py": (
        FIBER + "test_generation_wiring.py",
        FIBER + "test_generation.py",
        FIBER + "test_streaming.py",
    ),
    "jaxreact/systems/fiber/system.py": (
        FIBER + "test_system.py",
        FIBER + "test_streaming.py",
        "tests/test_react.py",
    ),
    "jaxreact/systems/fiber/streams.py": (FIBER + "test_keys.py", FIBER + "test_predictor.py"),
    "jaxreact/systems/fiber/predictor.py": (FIBER + "test_keys.py", FIBER + "test_predictor.py"),
    "jaxreact/systems/fiber/tokenizer.py": (
        FIBER + "test_relative_pose.py",
        FIBER + "test_keys.py",
        FIBER + "test_tokenizer.py",
    ),
    "jaxreact/systems/fiber/presets.py": (FIBER + "test_presets.py",),
    "jaxreact/systems/fiber/train_tokenizer.py": (FIBER + "test_training_wiring.py",),
    "jaxreact/systems/fiber/train_predictor.py": (
        FIBER + "test_training_wiring.py",
        FIBER + "test_predictor_inputs.py",
    ),
    "jaxreact/systems/belfusion/losses.py": (BELFUSION + "test_losses.py",),
    "jaxreact/systems/belfusion/latent_space.py": (
        BELFUSION + "test_losses.py",
        BELFUSION + "test_system.py",
    ),
    "jaxreact/systems/belfusion/train_denoiser.py": (BELFUSION + "test_training.py",),
    "jaxreact/systems/trans_vae/losses.py": (TRANS_VAE + "test_losses.py",),
    "jaxreact/systems/trans_vae/senses.py": (TRANS_VAE + "test_senses.py",),
    "jaxreact/systems/trans_vae/training.py": (TRANS_VAE + "test_training.py",),
    "jaxreact/systems/learning2listen/masks.py": (LISTENING + "test_predictor.py",),
    "jaxreact/systems/learning2listen/normalisation.py": (LISTENING + "test_preparation.py",),
    "jaxreact/systems/learning2listen/train_predictor.py": (LISTENING + "test_training.py",),
    "jaxreact/metrics/frc.py": (METRICS + "test_scores.py",),
    "jaxreact/metrics/frd.py": (METRICS + "test_scores.py", METRICS + "test_score.py"),
    "jaxreact/metrics/frdiv.py": (METRICS + "test_scores.py", METRICS + "test_score.py"),
    "jaxreact/metrics/frdvs.py": (METRICS + "test_scores.py", METRICS + "test_score.py"),
    "jaxreact/metrics/frvar.py": (METRICS + "test_scores.py", METRICS + "test_score.py"),
    "jaxreact/metrics/frsyn.py": (METRICS + "test_frsyn_lags.py", METRICS + "test_scores.py"),
    "jaxreact/metrics/steps.py": (METRICS + "test_steadiness.py",),
    "jaxreact/metrics/jitter.py": (METRICS + "test_steadiness.py",),
    "jaxreact/metrics/face_jitter.py": (METRICS + "test_steadiness.py",),
    "jaxreact/metrics/seams.py": (METRICS + "test_steadiness.py",),
    "jaxreact/metrics/face_seams.py": (METRICS + "test_steadiness.py",),
    "jaxreact/metrics/nods.py": (METRICS + "test_answers.py",),
    "jaxreact/metrics/smiles.py": (METRICS + "test_answers.py",),
    "jaxreact/metrics/correlations.py": (METRICS + "test_answers.py", METRICS + "statistics"),
    "jaxreact/metrics/faces.py": (METRICS + "test_recorded_faces.py",),
    "jaxreact/metrics/recorded_faces.py": (METRICS + "test_recorded_faces.py",),
    "jaxreact/metrics/clipwise.py": (METRICS + "test_clipwise.py", METRICS + "test_scores.py"),
    "jaxreact/metrics/parts.py": (METRICS + "test_clipwise.py", METRICS + "test_scores.py"),
    "jaxreact/metrics/truth.py": (METRICS + "test_command.py",),
    "jaxreact/metrics/baselines.py": (METRICS + "test_baselines.py",),
    "jaxreact/metrics/behaviour.py": (METRICS + "test_behaviour.py",),
    "jaxreact/metrics/statistics/intervals.py": (METRICS + "statistics",),
    "jaxreact/metrics/statistics/bootstrap.py": (METRICS + "statistics",),
    "jaxreact/metrics/statistics/comparison.py": (METRICS + "statistics",),
    "jaxreact/metrics/warping/pairs.py": (METRICS + "warping", METRICS + "test_golden.py"),
    "jaxreact/metrics/realism/frechet.py": (METRICS + "realism",),
    "jaxreact/data/crops.py": ("tests/data/test_pipeline.py",),
    "jaxreact/data/pipeline.py": ("tests/data/test_pipeline.py",),
    "jaxreact/data/modality.py": ("tests/data/test_modality.py",),
    "jaxreact/data/split.py": ("tests/data/test_split.py",),
    "jaxreact/data/neighbours.py": ("tests/data/test_neighbours.py",),
    "jaxreact/data/packed.py": ("tests/data/test_packed.py",),
    "jaxreact/data/shards.py": ("tests/data/test_packed.py",),
    "jaxreact/data/layout.py": ("tests/data/test_react2024.py",),
    "jaxreact/data/react2024.py": (
        "tests/data/test_react2024.py",
        "tests/data/test_conversations.py",
        "tests/data/test_pipeline.py",
    ),
    "jaxreact/evaluation/generate.py": ("tests/evaluation/test_generate.py",),
}
"""The fast tests that should notice a change of a module."""

IRRELEVANT = (
    "core/ReplaceBinaryOperator_BitOr_.*",  # `int | None` in annotations
    "core/ReplaceBinaryOperator_.*_(Pow|Mod|FloorDiv|LShift|RShift|BitOr|BitAnd|BitXor)",
    "core/ReplaceComparisonOperator_.*_Is(Not)?",
    "core/RemoveDecorator",
    "core/ExceptionReplacer",
)
"""Changes that say little: of ten ways to spoil a sum one is enough."""


@dataclass(frozen=True)
class Mutation:
    """Mutates a module and runs the tests that match it."""

    module: tyro.conf.Positional[Path]
    """Such as jaxreact/training/step.py."""
    tests: tuple[str, ...] = ()
    """Tests to run instead of those that match."""
    sample: int | None = None
    """Changes to try, drawn at random with the module's name as the seed; all if not given."""
    tool: Path = Path(sys.prefix) / "bin"
    """Where the commands of cosmic-ray are."""
    timeout: float = 300.0
    """Seconds after which a run of the tests counts as failed."""


def configuration(mutation: Mutation, tests: tuple[str, ...]) -> str:
    command = f"{sys.executable} -m pytest {' '.join(tests)} -x -p no:cacheprovider -o addopts=-q"
    excluded = ", ".join(f'"{pattern}"' for pattern in IRRELEVANT)
    return f"""
[cosmic-ray]
module-path = "{mutation.module}"
timeout = {mutation.timeout}
excluded-modules = []
test-command = "{command} -m 'not slow'"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = [{excluded}]
"""


def choose(session: Path, seed: str, sample: int | None) -> None:
    """Leaves so many of a session's changes to be tried."""
    with closing(sqlite3.connect(session)) as database, database:
        listed = database.execute(
            "SELECT job_id FROM mutation_specs "
            "WHERE job_id NOT IN (SELECT job_id FROM work_results) "
            "ORDER BY start_pos_row, start_pos_col, operator_name, occurrence"
        )
        jobs = [job for (job,) in listed]
        left_out = random.Random(seed).sample(jobs, max(len(jobs) - (sample or len(jobs)), 0))
        database.executemany(
            "INSERT INTO work_results (job_id, worker_outcome) VALUES (?, 'SKIPPED')",
            [(job,) for job in left_out],
        )


def report(session: Path, module: Path) -> str:
    """The changes that survived, and how many of those tried did."""
    with closing(sqlite3.connect(session)) as database:
        tried = database.execute(
            "SELECT test_outcome, diff FROM work_results WHERE worker_outcome != 'SKIPPED'"
        ).fetchall()
    survived = [diff for outcome, diff in tried if outcome == "SURVIVED"]
    return "\n\n".join([*survived, f"{module}: {len(survived)} of {len(tried)} changes survived"])


def run(mutation: Mutation) -> None:
    """Mutates a copy of the repository and prints what survived."""
    tests = mutation.tests or MATCHING.get(mutation.module.as_posix(), ())
    if not tests:
        raise SystemExit(f"error: {mutation.module}: no tests known to match; give --tests")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "runs"))
        (copy / "mutation.toml").write_text(configuration(mutation, tests))
        cached = {  # the same programs are compiled for most changes
            "JAX_COMPILATION_CACHE_DIR": f"{folder}/programs",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

        def call(command: str, *arguments: str) -> None:
            tool = str(mutation.tool / command)
            subprocess.run([tool, *arguments], cwd=copy, env=os.environ | cached, check=True)

        call("cosmic-ray", "baseline", "mutation.toml")  # the tests pass without any change
        call("cosmic-ray", "init", "mutation.toml", "session.sqlite")
        call("cr-filter-operators", "session.sqlite", "mutation.toml")
        session = copy / "session.sqlite"
        choose(session, mutation.module.as_posix(), mutation.sample)
        call("cosmic-ray", "exec", "mutation.toml", session.name)
        print(report(session, mutation.module))


if __name__ == "__main__":
    given = tyro.cli(Mutation, description=__doc__)
    run(dataclasses.replace(given, tool=given.tool.absolute()))
