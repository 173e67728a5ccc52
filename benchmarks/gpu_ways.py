"""One way of `benchmarks/gpu.py` in a process of its own: prints a line of JSON.

python benchmarks/gpu_ways.py --sizes released|small NAME [ARGUMENT ...]
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # its tests hold the golden numbers

from gpu_models import Sizes  # noqa: E402
from training_workload import batch  # noqa: E402

from jaxreact import runs  # noqa: E402
from jaxreact.audio_features.load import AUDIO_ENCODER  # noqa: E402
from jaxreact.audio_features.wav2vec2 import AudioEncoderConfig  # noqa: E402
from jaxreact.commands import keep_programs  # noqa: E402
from jaxreact.sharding import host  # noqa: E402
from jaxreact.systems.fiber.loaded_predictor import Predictor  # noqa: E402
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer  # noqa: E402
from jaxreact.systems.fiber.system import Fiber  # noqa: E402
from jaxreact.systems.system import Speaker  # noqa: E402
from jaxreact.training.monitor.peaks import peak_flops  # noqa: E402

Found = dict[str, Any]
MEASURED_S = 3.0
"""Seconds of steps to take a median of."""


def since_start() -> float:
    """Seconds since the driver began this process."""
    return round(time.time() - float(os.environ.get("GPU_WAYS_BEGAN", time.time())), 2)


def median_ms(function: Callable[[], Any], least: int = 5) -> float:
    """Milliseconds of a call whose programs are compiled."""
    times: list[float] = []
    while len(times) < least or (sum(times) < MEASURED_S and len(times) < 200):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return round(1e3 * statistics.median(times), 3)


def gib() -> float | None:
    held = jax.devices()[0].memory_stats() if jax.default_backend() != "cpu" else None
    return round(held["peak_bytes_in_use"] / 2**30, 2) if held else None


def step(sizes: Sizes, kind: str, rows: str, precision: str) -> Found:
    """From a bare process to the first step, and the steps after it."""
    made = batch(kind, int(rows))
    stage = sizes.stage(kind, int(rows), precision)
    placed = stage.mesh.put_local_rows(made)
    ready = since_start()
    update, state = stage.step(0), stage.state
    state, metrics = update(state, stage.frozen, placed)
    jax.block_until_ready(metrics)
    first = since_start()

    def go() -> Any:
        nonlocal state
        state, metrics = update(state, stage.frozen, placed)
        return metrics

    milliseconds = median_ms(go)
    operations = stage.operations(0, placed)
    used = "tensorfloat32" if precision == "tensorfloat32" else precision
    peak = peak_flops(jax.devices()[0], used)
    each_second = operations / milliseconds * 1e3
    return {
        "seconds_to_models": ready,
        "seconds_to_first_step": first,
        "step_ms": milliseconds,
        "teraflops": round(each_second / 1e12, 2),
        "utilisation_percent": peak and round(100 * each_second / peak, 1),
        "gib": gib(),
        "loss": float(go()["loss"]),
    }


def generation(sizes: Sizes) -> Found:
    """Ten reactions to a clip of 736 frames: codes alone, and all from face and sound to faces."""
    frames = 64 if sizes.small else 736
    features = jnp.zeros((1, 2 * frames, 512))
    codes = jnp.asarray(np.arange(frames)[None] % 1000)
    model, key = sizes.predictor(), jax.random.key(0)
    jax.block_until_ready(model.generate(features, codes, key=key))
    first = since_start()
    made = median_ms(lambda: model.generate(features, codes, key=key))
    half = model.in_precision("bfloat16")
    jax.block_until_ready(half.generate(features, codes, key=key))
    found = {
        "seconds_to_first": first,
        "codes_ms": made,
        "codes_bfloat16_ms": median_ms(lambda: half.generate(features, codes, key=key)),
    }
    system = Fiber(sizes.tokenizer(), model, sizes.encoder())
    random = np.random.default_rng(0)
    coeffs = 0.1 * random.standard_normal((1, frames, 58), np.float32)
    speaker = Speaker(coeffs, 0.1 * random.standard_normal((1, frames * 640), np.float32))
    jax.block_until_ready(system.react(speaker, key=key).coeffs)
    whole = median_ms(lambda: system.react(speaker, key=key).coeffs)
    return {**found, "reactions_ms": whole, "gib": gib()}


def passes(sizes: Sizes) -> Found:
    """One pass of the predictor over a window."""
    found: Found = {}
    for windows, precision in ((1, "tensorfloat32"), (32, "bfloat16")):
        model = sizes.predictor().in_precision(precision)  # pyright: ignore[reportArgumentType]
        tokens = jnp.full((windows, 256), 5, jnp.int32)
        inputs = (jnp.zeros((windows, 512, 512)), tokens, tokens)
        began = time.perf_counter()
        jax.block_until_ready(model.logits(*inputs))
        compiling = round(time.perf_counter() - began, 2)
        found[f"{windows} windows, {precision}"] = {
            "first_s": compiling,
            "pass_ms": median_ms(lambda model=model, inputs=inputs: model.logits(*inputs)),
        }
    return found


def kernel(sizes: Sizes) -> Found:
    """Attention as one kernel beside attention written out, forwards and backwards."""
    from jaxreact.nn import attend, attend_fused
    from jaxreact.nn.dropout import seed_of

    usable, found = attend_fused.is_usable(), {}
    batch_size, seed = 2 if sizes.small else 64, seed_of(jax.random.key(3))
    for dtype in (jnp.float32, jnp.bfloat16):
        draw = jax.random.split(jax.random.key(0), 4)
        shape = (batch_size, 256, 12, 30)
        parts = [(jax.random.normal(key, shape) * 30**-0.25).astype(dtype) for key in draw]
        allowed = jnp.arange(256)[None, None] >= jnp.arange(batch_size)[:, None, None]

        def back(form: Any, parts: Any = parts, allowed: Any = allowed) -> Callable[..., Any]:
            def all_of_it(*parts: jax.Array) -> Any:
                def output(*three: jax.Array) -> jax.Array:
                    return form(*three, allowed, None, 0.1, seed)

                made, pull = jax.vjp(output, *parts[:3])
                return made, *pull(parts[3])

            return jax.jit(all_of_it)

        forms = {"written out": back(attend.attend), "kernel": back(attend_fused.attend)}
        with jax.default_matmul_precision("float32"):
            values = {name: form(*parts) for name, form in forms.items()}
        differences = [
            float(jnp.abs(a.astype(jnp.float32) - b.astype(jnp.float32)).max())
            for a, b in zip(*values.values(), strict=True)
        ]
        jax.block_until_ready([form(*parts) for form in forms.values()])
        times = {f"{name} ms": median_ms(partial(f, *parts)) for name, f in forms.items()}
        found[jnp.dtype(dtype).name] = {"largest_differences": differences, **times}
    return {"usable": usable, **found}


def parity(sizes: Sizes) -> Found:
    """Golden numbers of the original, on this device, in full float32."""
    from tests.weights import golden
    from tests.weights import predictor as golden_predictor
    from tests.weights import tokenizer as golden_tokenizer

    found: Found = {}
    size = "small" if sizes.small else "full"
    coder = Tokenizer(golden_tokenizer(f"{size}_fsq"), {}, "golden").in_precision("float32")
    arrays = golden(f"tok_{size}_fsq")
    whole = arrays["x"].shape[1] // coder.block_size * coder.block_size
    codes = np.asarray(coder.encode(arrays["x"][:, :whole]))
    on_host = Tokenizer(golden_tokenizer(f"{size}_fsq"), {}, "golden")
    with jax.default_device(host()):
        there = np.asarray(on_host.placed(place(host())).encode(arrays["x"][:, :whole]))
    found["tokenizer codes that differ"] = int((codes != there).sum())
    model = Predictor(golden_predictor("small", mixed_masks=True), {}, "golden")
    arrays = golden("pred_small")
    inputs = [arrays[name] for name in ("sp_sound", "sp_face", "lt_face")]
    names = ("mask_sound_time", "mask_sp_face", "mask_lt_face")
    masks = [jnp.asarray(arrays[f"partial.{name}"]) for name in names]
    logits = np.asarray(model.in_precision("float32").logits(*inputs, *masks))
    last = arrays["partial.logits"]
    found["predictor logits"] = float(np.abs(logits[:, -last.shape[1] :] - last).max())
    arrays = golden("gen_small")
    answered = model.in_precision("float32").generate(
        arrays["sound_features"],
        arrays["sp_tokens_plus2"] - 2,
        num_samples=1,
        top_k=1,
        vocabulary="full",
    )
    wanted = arrays["generated_indices"]
    found["generated codes that differ"] = int((np.asarray(answered)[:, 0] != wanted).sum())
    found["golden"] = {"predictor": "small", "generation": "small", "tokenizer": size}
    return found


def place(device: Any) -> Any:
    return jax.sharding.SingleDeviceSharding(device)


def codes(sizes: Sizes) -> Found:
    """Codes of 47,104 frames at the usual precision beside a processor's."""
    clips = 2 if sizes.small else 64
    coeffs = 0.3 * np.random.default_rng(0).standard_normal((clips, 736, 58), np.float32)
    model = sizes.tokenizer()
    here = np.asarray(model.encode(coeffs))
    with jax.default_device(host()):
        there = np.asarray(model.placed(place(host())).encode(coeffs))
    milliseconds = median_ms(lambda: model.encode(coeffs))
    return {"frames": here.size, "differ": int((here != there).sum()), "encode_ms": milliseconds}


def frd(sizes: Sizes) -> Found:
    """Warpings a second by both kernels, and which of them `auto` takes."""
    from warping import arrays

    from jaxreact.metrics.warping.nearest import nearest_distances

    clips, frames = (2, 100) if sizes.small else (16, 750)
    predicted, truth, lists = arrays(clips, 10, frames)
    pairs = sum(10 * len(others) for others in lists)
    found: Found = {"pairs": pairs}
    reference = None
    ways: dict[str, dict[str, Any]] = {
        "auto": {},
        "cpu, to the end": {"kernel": "cpu", "prune": False},
        "cpu, giving up": {"kernel": "cpu", "prune": True},
        "jax": {"kernel": "jax"},
        "jax, 8 GiB": {"kernel": "jax", "memory": 2**33},
    }
    for name, options in ways.items():
        distances = nearest_distances(predicted, truth, lists, **options)  # compiles
        reference = distances if reference is None else reference
        start = time.perf_counter()
        nearest_distances(predicted, truth, lists, **options)
        found[name] = {
            "warpings_per_second": round(pairs / (time.perf_counter() - start)),
            "largest_relative_difference": float(np.abs(distances / reference - 1).max()),
        }
    return found


def pytorch3d(sizes: Sizes) -> Found:
    """Frames a second of flat heads by each backend, and which of them `auto` takes."""
    from rendering import Config, speed

    from jaxreact.rendering import choose_backend

    config = Config(frames=20 if sizes.small else 736, repeats=1 if sizes.small else 2)
    auto = choose_backend("auto", "flat")
    backends = ("cpu", "pytorch3d") if auto == "pytorch3d" else ("cpu",)
    rows = [
        speed(config, head, "flat", backend)  # pyright: ignore[reportArgumentType]
        for head in ("mask", "builtin")
        for backend in backends
    ]
    return {"auto": auto, "speed": rows}


def pirender(sizes: Sizes) -> Found:
    """Photo-real frames a second."""
    from face_generator_workload import clip

    from jaxreact.rendering.pirender.config import FaceGeneratorConfig
    from jaxreact.rendering.pirender.load import FaceGenerator
    from jaxreact.rendering.pirender.photoreal import photoreal_frames
    from tests.rendering.pirender.weights import generator

    if sizes.small:
        return {"skipped": "takes minutes on a processor; see face_generator.py"}
    frames = 736
    tensors, portrait, coeffs = clip(frames)
    model = FaceGenerator(generator(FaceGeneratorConfig(), tensors), {}, Path("random"))
    list(photoreal_frames(model, portrait, coeffs, dtype="bfloat16"))
    start = time.perf_counter()
    list(photoreal_frames(model, portrait, coeffs, dtype="bfloat16"))
    return {"frames_per_second": round(frames / (time.perf_counter() - start), 1)}


def original(sizes: Sizes, kind: str, rows: str, checkout: Path) -> Found:
    """The original's step on the same device, by `training_original.py`."""
    times = 5 if torch_device() == "cuda" else 1
    answer = original_answer("training_original.py", checkout, kind, rows, times, torch_device())
    seconds = {name: round(1e3 * each["wall"], 1) for name, each in answer["seconds"].items()}
    return {
        "device": torch_device(),
        "step_ms": seconds,
        "gib": answer["result"]["device_gib"],
    }


def original_generation(sizes: Sizes, checkout: Path) -> Found:
    """The original's way from face and sound to one listener, of the ten that it makes in turn."""
    if torch_device() == "cpu":
        return {"skipped": "torch has no GPU here; see generation.py"}
    answer = original_answer("generation_original.py", checkout, torch_device())
    seconds = {name: round(each["wall"], 3) for name, each in answer["seconds"].items()}
    ten = round(10 * sum(seconds.values()), 2)
    return {"device": torch_device(), "one_sample_s": seconds, "ten_samples_s": ten}


def torch_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def original_answer(script: str, checkout: Path, *arguments: object) -> dict[str, Any]:
    """What a script of the original's side says of its second pass on a GPU, else of its first."""
    path = Path(__file__).with_name(script)
    checkpoint = Path(os.environ["GPU_WAYS_FOLDER"]) / path.with_suffix(".ckpt").name
    command = [sys.executable, path, checkout.resolve(), checkpoint, *arguments]
    lines = "1\n1\n" if torch_device() == "cuda" else "1\n"
    done = subprocess.run(
        list(map(str, command)), input=lines, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(said(done.stderr))
    return json.loads(done.stdout.strip().splitlines()[-1])


def said(stderr: str) -> str:
    """The end of what a program said, on one line."""
    return " ".join(stderr.split())[-300:]


def train(sizes: Sizes, minutes: str) -> Found:
    """Simulate, pack, both stages of preset `improved`, ten reactions to a split, and the table."""
    # This process, which only makes an encoder, must leave the memory to those that it starts.
    children = dict(os.environ)
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    folder = Path(os.environ["GPU_WAYS_FOLDER"]) / "training"
    data, cache = folder / "data", folder / "cache"
    preset = "debug" if sizes.small else "improved"
    scale = float(minutes) / 3
    dyads = "2 1 1" if sizes.small else f"{int(64 * scale)} 8 8"
    epochs = 1 if sizes.small else max(2, int(20 * scale))
    found: Found = {}

    def run(name: str, *command: Any) -> str:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            env=children,
            capture_output=True,
            text=True,
            check=False,
        )
        found[f"{name}_s"] = round(time.perf_counter() - start, 1)
        if done.returncode:
            raise RuntimeError(f"{name}: {said(done.stderr)}")
        return done.stdout

    seconds = ("--seconds", 6) if sizes.small else ()
    simulated = ("-m", "jaxreact.data.simulate", "--out", data, "--split", *dyads.split())
    run("simulate", *simulated, *seconds)
    run("pack", "-m", "jaxreact.data.prepare", "--data", data, "--out", cache)
    loop = ("--data", cache, "--loop.epochs", epochs, "--loop.validate-every", epochs)
    first, second = folder / "tokenizer", folder / "predictor"
    run("tokenizer", "train_tokenizer.py", preset, *loop, "--out", first)
    ears = () if sizes.small else untrained_ears(folder)
    run(
        "predictor",
        *("train_predictor.py", preset, *loop, "--tokenizer", first, "--out", second, *ears),
    )
    options = ("--frames", 64) if sizes.small else ()
    table = run(
        "evaluate",
        *("evaluate.py", "--data", cache, "--run", second, "--out", folder / "scores", *options),
    )
    lines = table.splitlines()
    rows = [line for line in lines if "mime" in line or line[:2] == "FR"]
    return {**found, "epochs": epochs, "dyads": dyads, "table": rows}


def untrained_ears(folder: Path) -> tuple[str, ...]:
    """An encoder of the released shape with random weights, since none can be had here."""
    from jaxreact.variables import variables_of

    model = runs.new_model(AUDIO_ENCODER, AudioEncoderConfig(), 0)
    runs.save_model(folder / "wav2vec2", AUDIO_ENCODER, model.config, variables_of(model))
    return ("--wav2vec2", str(folder / "wav2vec2"))


FUNCTIONS: dict[str, Callable[..., Found]] = {
    function.__name__: function
    for function in (
        *(step, generation, passes, kernel, parity, codes, frd, pytorch3d, pirender),
        *(original, original_generation, train),
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
