"""How a run directory begins: where a run may start, and what a resumed one must not change."""

import dataclasses
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxreact import runs
from jaxreact.data.pipeline import pipeline_record
from jaxreact.errors import UserError
from jaxreact.files import check_folder
from jaxreact.sharding import DeviceMesh, check_batch, make_device_mesh
from jaxreact.training.distributed import is_first, join_processes, wait_for_all
from jaxreact.training.options import check_options


def start_run(kind: runs.Kind, config: Any) -> DeviceMesh:
    """Joins the other processes of a training, and checks what can be checked before any work.

    `config` is the configuration of either stage. Raises UserError like what it calls.
    """
    _check_local(config.out)
    check_options(config)
    join_processes(config.distributed)
    mesh = make_device_mesh(config.loop.fsdp)
    check_batch(config.loop.batch_size, config.loop.accumulate, mesh)
    check_start(kind, config.out, config.resume)
    if config.resume:
        _check_options(kind, config)
    return mesh


def _check_local(path: Path) -> None:
    """Object stores are used through a mount: a run relies on renaming folders.

    Raises UserError for a URL, which would otherwise become a strange folder.
    """
    if re.match(r"[a-z0-9]+:/", str(path)):  # Path has made one slash of two
        raise UserError(
            f"{path}: not a path; mount the bucket (Cloud Storage FUSE, Mountpoint for Amazon S3)"
            " and give the folder it is mounted at"
        )


def check_start(kind: runs.Kind, out: Path, resume: bool) -> None:
    """Raises UserError unless a run can start in `out`, or go on there with `resume`."""
    check_folder(out)
    held = any(path.name.isdecimal() for path in (out / "state").glob("*"))
    if resume and not held:
        raise UserError(f"{out}: nothing to resume here; start without --resume")
    if held and not resume:
        raise UserError(f"{out}: holds a run already; add --resume or choose another --out")
    # A start that came to no state has left a configuration too, of a training.
    exists = not held and (out / "config.json").exists()
    if exists and "training" not in runs.read_config(out, kind)[1]:
        raise UserError(f"{out}: holds a converted {kind.name}; choose another --out")


def prepare_run(
    kind: runs.Kind,
    model_config: Any,
    record: dict[str, Any],
    out: Path,
    resume: bool,
    write: Callable[[Path], None],
) -> None:
    """Makes the run directory with its config.json, or checks that the resumed run's is the same.

    `record` is what config.json holds beside the model's configuration, and what a resumed run must
    not change. `write` puts what else a new run directory holds into it. Of several processes all
    check, and the first one writes. Raises UserError like `check_start`, and where `record`
    differs.
    """
    check_start(kind, out, resume)
    if resume:
        _check_resumed(kind, model_config, record, out)
    wait_for_all("checked")  # before anything changes under the eyes of the others
    if not resume and is_first():
        for leftover in ("state", "model", "tensorboard"):
            shutil.rmtree(out / leftover, ignore_errors=True)
        write(out)
        runs.write_config(out, kind, model_config, **record)
    wait_for_all("prepared")


def record_of(config: Any, loop: Any) -> dict[str, Any]:
    """A stage's whole configuration as config.json has it beside the model's own.

    "training" is `loop`, how the loop trains; "stage" is what is particular to the stage; "paths",
    whose contents are told apart by fingerprints, and "preset" may change when a run is resumed.
    Options that a stage's `MAY_CHANGE` names are left out.
    """
    fields = dataclasses.asdict(config)
    paths = {
        name: str(value)
        for name, value in fields.items()
        if isinstance(value, Path) and name != "profile"
    }
    apart = ("model", "loop", "preset", "resume", "distributed", "profile", *paths)
    apart = (*apart, *config.MAY_CHANGE)
    return {
        "preset": config.preset,
        "paths": paths,
        "stage": {name: value for name, value in fields.items() if name not in apart},
        "training": dataclasses.asdict(loop),
    }


def _check_options(kind: runs.Kind, config: Any) -> None:
    """Raises UserError if the run that is to go on was begun with other options, of those that are
    known before its data are read: what is computed of these may take minutes."""
    record = json.loads(json.dumps(record_of(config, config.loop)))
    asked = {name: record[name] for name in ("stage", "training")}
    saved = runs.read_config(config.out, kind)[1]
    _check_pipeline(saved.pop("pipeline", None), pipeline_record(), config.out)
    if "stage" in saved:
        saved = {name: saved.get(name) for name in asked}
    else:
        saved, asked = _of_before(saved, asked)
    _check_same(saved, asked)


_ADDED = {
    "training.optimizer.decay": "matrices",
    "training.optimizer.after_warmup": "constant",
    "stage.traits_mask_probability": 0.2,
    "stage.audio": "crop",
}
"""Options that came later, which runs of before do not name, and what these did."""
_MAY_CHANGE = ("kind", "format", "model", "paths", "preset")
_INSTEAD = "or start anew without --resume, with another --out"


def _check_resumed(kind: runs.Kind, model_config: Any, record: dict[str, Any], out: Path) -> None:
    """Raises UserError if `out` holds a run with other options."""
    saved_config, content = runs.read_config(out, kind)
    _check_pipeline(content.pop("pipeline", None), record.get("pipeline"), out)
    record = {name: value for name, value in record.items() if name != "pipeline"}
    saved = _compared(saved_config, content)
    asked = _compared(model_config, record)
    if "stage" not in saved:
        saved, asked = _of_before(saved, asked)
    _check_same(saved, asked)


def _check_pipeline(saved: Any, now: Any, out: Path) -> None:
    """Raises UserError where the order of the data would not be that of the run's start.

    A run of before this was written down goes on: nothing is known of it.
    """
    if not isinstance(saved, dict) or not isinstance(now, dict):
        return
    before, grain = saved.get("number"), saved.get("grain")
    if before != now["number"]:
        raise UserError(
            f"--resume: {out} was begun with data pipeline {before} and this version of jaxreact "
            f"has {now['number']}, which reads in another order; go on with the version that began "
            f"it, {_INSTEAD}"
        )
    if grain != now["grain"]:
        raise UserError(
            f"--resume: {out} was begun with grain {grain} and {now['grain']} is installed, which "
            f"may read in another order; pip install grain=={grain}, {_INSTEAD}"
        )


def _compared(model: Any, content: dict[str, Any]) -> dict[str, Any]:
    """What must be the same, as JSON has it."""
    kept = {name: content[name] for name in content if name not in _MAY_CHANGE}
    return json.loads(json.dumps({"model": dataclasses.asdict(model), **kept}))


def _of_before(
    saved: dict[str, Any], asked: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A run of before its whole stage was written down, and what of today's it can be told by."""
    stage = {name: saved.pop(name) for name in asked["stage"] if name in saved}
    saved = {name: saved[name] for name in saved if name in asked} | {"stage": stage}
    asked = {name: asked[name] for name in saved}
    return saved, asked | {"stage": {name: asked["stage"][name] for name in stage}}


def _check_same(saved: dict[str, Any], asked: dict[str, Any], at: str = "") -> None:
    """Raises UserError naming the first value in which a resumed run differs from its start."""
    for name in sorted({*saved, *asked}):
        a, b = saved.get(name, _ADDED.get(f"{at}{name}")), asked.get(name)
        if isinstance(a, dict) and isinstance(b, dict):
            _check_same(a, b, f"{at}{name}.")
        elif a != b:
            raise UserError(
                f"--resume: {at}{name} was {_short(a)} and is now {_short(b)}; repeat the run's"
                " options"
            )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:50]} ..."
