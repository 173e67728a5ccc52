"""Our half of `benchmarks/systems_speed.py`: a worker that makes passes when told to.

    python benchmarks/systems_speed_ours.py JOB RUN CLIPS CROP

Loads a system's run directory and answers each line on stdin by one pass. A training step is that
of the training command, preset `original`, with the weights of the run. The first pass compiles.
CLIPS of CROP frames are the batch of a training step of Trans-VAE.
What takes minutes (Trans-VAE) is compiled apart from its first pass.
"""

import dataclasses
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import flax
import jax
import numpy as np
from flax import nnx
from side_by_side import Stages, serve
from systems_speed_workload import (
    CEPSTRA,
    COEFFS,
    EMOTION,
    HELD_OUT,
    MOTION,
    NOISE,
    SIZES,
    SOUND,
    Sizes,
    normal,
    pictures,
    windows,
)

import jaxreact
from jaxreact import Speaker, runs
from jaxreact.commands import keep_memory
from jaxreact.sharding import make_device_mesh
from jaxreact.systems.belfusion import train_denoiser, train_vae
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.belfusion.presets import DENOISER_PRESETS, VAE_PRESETS
from jaxreact.systems.learning2listen.config import PATCH, WINDOW
from jaxreact.systems.learning2listen.loaded import Pair
from jaxreact.systems.learning2listen.system import load as load_learning2listen
from jaxreact.systems.trans_vae import training
from jaxreact.systems.trans_vae.decoder import Face
from jaxreact.systems.trans_vae.kinds import TRANS_VAE
from jaxreact.systems.trans_vae.loaded_model import load_trans_vae
from jaxreact.systems.trans_vae.losses import LossWeights, trans_vae_loss
from jaxreact.systems.trans_vae.presets import PRESETS
from jaxreact.systems.trans_vae.senses import shorter_side
from jaxreact.training.command import parse
from jaxreact.training.stage import Recipe, Stage

Pass = Callable[[Stages, int], dict[str, Any]]


def trans_vae(run: Path, sizes: Sizes) -> Pass:
    """All samples of a clip, from pictures and cepstra."""
    model = load_trans_vae(run)
    video, audio = pictures(1, sizes.frames, sizes.side), normal(CEPSTRA, 1, sizes.frames, 78)
    number = windows(sizes.frames, model.config.window)
    noise = normal(NOISE, 1, sizes.samples, number, model.config.features)
    given = [jax.numpy.asarray(x) for x in (video, audio, noise)]

    def compiled() -> Any:
        react = model._react  # the variables are bound to it already
        return react.func.lower(*react.args, *given).compile()

    def answer(react: Any) -> tuple[np.ndarray, np.ndarray]:
        coeffs, emotion = react(*model._react.args, *given).face
        return np.asarray(coeffs), np.asarray(emotion)  # which waits for them

    def one_pass(stages: Stages, _: int) -> dict[str, Any]:
        react = stages.timed("compiling", compiled)
        coeffs, emotion = stages.timed("pass", lambda: answer(react))
        return {"coeffs": coeffs[0, 0, ::10].tolist(), "emotion": emotion[0, 0, ::10].tolist()}

    return one_pass


def trans_vae_step(run: Path, sizes: Sizes) -> Pass:
    """A step with the sizes' clips."""
    model = runs.load_model(run, TRANS_VAE)[0]
    clips, frames, side = sizes.clips, sizes.crop, shorter_side(model.config.image_size)
    config = dataclasses.replace(
        parse(PRESETS, ["original", "--data", ".", "--out", "."]),
        model=model.config,
        clip_frames=frames,
    )
    batch = {
        "speaker_video": pictures(clips, frames, side),
        "speaker_audio": normal(CEPSTRA, clips, frames, 78),
        "listener_coeffs": normal(COEFFS, clips, frames, 58),
        "listener_emotion": normal(EMOTION, clips, frames, 25),
    }
    # The original's pictures are the middle of these.
    begin = (side - sizes.side) // 2
    middle = slice(begin, begin + sizes.side)
    batch["speaker_video"][:, :, middle, middle] = pictures(clips, frames, sizes.side)
    recipe = Recipe(
        kind=TRANS_VAE,
        model=model,
        loss=partial(training._loss, config),
        show=_nothing,
        draw=_nothing,
        trainable=partial(training.is_trained, config.model),
        config=config,
    )
    first = _loss_of_the_beginning(model, batch)
    stage = config.loop.make_stage(recipe, make_device_mesh(), 100)
    return _steps(stage, batch, first, apart=True)


def _loss_of_the_beginning(model: Any, batch: Mapping[str, np.ndarray]) -> float:
    """Without dropout and the comparison of two samples, as the original's half tells it."""
    beginning = {name: x[:1, :HELD_OUT] for name, x in batch.items()}
    video = training.middle(jax.numpy.asarray(beginning["speaker_video"]), model.config.image_size)
    number = windows(HELD_OUT, model.config.window)
    noise = normal(NOISE, 1, number, model.config.features)[:, None]
    graph, state = nnx.split(model)

    @jax.jit
    def loss(state: Any, video: Any, audio: Any, noise: Any, target: Face) -> jax.Array:
        reaction = nnx.merge(graph, state)(video, audio, noise)
        weights = LossWeights(diversity=0.0)
        return trans_vae_loss(reaction, reaction.face, target, weights)[0]

    target = training.target_of(jax.tree.map(jax.numpy.asarray, beginning))
    return float(loss(state, video, beginning["speaker_audio"], noise, target))


def belfusion(run: Path, sizes: Sizes) -> Pass:
    """All samples of a clip, from the speaker's emotion."""
    system: Any = jaxreact.load(run)
    speaker = Speaker(emotion=normal(EMOTION, 1, sizes.frames, 25))
    number = windows(sizes.frames, system.window)
    noise = normal(NOISE, 1, sizes.samples, number, system.denoiser.config.emb_length)

    def answer() -> tuple[np.ndarray, np.ndarray]:
        made = system.react(speaker, sizes.samples, noise=noise)
        return np.asarray(made.emotion), np.asarray(made.coeffs)  # which waits for them

    def one_pass(stages: Stages, _: int) -> dict[str, Any]:
        emotion, coeffs = stages.timed("pass", answer)
        return {"emotion": emotion[0, :, ::25].tolist(), "coeffs": coeffs[0, :, ::25].tolist()}

    return one_pass


def belfusion_vae_step(run: Path, sizes: Sizes) -> Pass:
    """A step of the VAE."""
    model = runs.load_model(run, VAE)[0]
    config = dataclasses.replace(
        parse(VAE_PRESETS, ["original", "--data", ".", "--out", "."]),
        model=model.config,
        clip_frames=sizes.frames,
    )
    shape = (sizes.batch, sizes.frames)
    batch = {
        "listener_emotion": normal(EMOTION, *shape, 25),
        "listener_coeffs": normal(COEFFS, *shape, 58),
    }
    recipe = Recipe(
        kind=VAE,
        model=model,
        loss=partial(train_vae._loss, config.mode),
        show=_nothing,
        draw=_nothing,
        trainable=partial(train_vae.is_trained, config.mode),
        config=config,
    )
    stage = config.loop.make_stage(recipe, make_device_mesh(), 100)
    placed = stage.mesh.put_local_rows(batch)
    first = stage.evaluate(stage.state, stage.frozen, placed, jax.random.key(0))["loss"]
    return _steps(stage, batch, float(first))


def belfusion_denoiser_step(run: Path, sizes: Sizes) -> Pass:
    """A step of the denoiser."""
    model = runs.load_model(run, DENOISER)[0]
    vae = runs.load_model(run / "vae", VAE)[0]
    paths = ["--data", ".", "--out", ".", "--first", str(run / "vae")]
    config = dataclasses.replace(
        parse(DENOISER_PRESETS, ["original", *paths]), model=model.config, samples=sizes.samples
    )
    coder = train_denoiser.FrozenCoder(vae, {})
    recipe = Recipe(
        kind=DENOISER,
        model=model,
        loss=partial(train_denoiser._loss, train_denoiser.Given(nnx.split(vae)[0], config)),
        show=_nothing,
        draw=_nothing,
        frozen=coder.variables(),
        config=config,
    )
    frames = train_denoiser.crop_frames(config.model, config.mode)
    batch = {
        "speaker_emotion": normal(NOISE, sizes.batch, frames, 25),
        "listener_emotion": normal(EMOTION, sizes.batch, frames, 25),
    }
    return _steps(config.loop.make_stage(recipe, make_device_mesh(), 100), batch, None)


def _nothing(*_: Any) -> Any:
    raise NotImplementedError("a benchmark draws no pictures")


def _steps(
    stage: Stage, batch: Mapping[str, np.ndarray], first: float | None, apart: bool = False
) -> Pass:
    """`apart`: compiling is a stage of its own."""
    step, state = stage.step(0), stage.state

    def compiled() -> Any:
        jitted: Any = stage.step(0)
        return jitted.lower(state, stage.frozen, stage.mesh.put_local_rows(batch)).compile()

    def one_step() -> None:
        nonlocal state
        state, metrics = step(state, stage.frozen, stage.mesh.put_local_rows(batch))
        jax.block_until_ready((state, metrics))

    def one_pass(stages: Stages, _: int) -> dict[str, Any]:
        nonlocal step
        if apart:
            step = stages.timed("compiling", compiled)
        stages.timed("pass", one_step)
        return {"loss": first}

    return one_pass


def learning2listen(run: Path, sizes: Sizes) -> Pass:
    """All samples of a clip of DECA's channels."""
    system = load_learning2listen(run)
    config, frames = system.model.config, sizes.listening_frames
    motion = normal(MOTION, 1, frames, config.motion_dim)
    sound = normal(SOUND, 1, config.audio_rate * frames, config.audio_dim)

    def answer() -> np.ndarray:
        return np.asarray(system.answer(motion, sound, sizes.samples, key=jax.random.key(0)))

    def look(pair: Pair, motion: jax.Array, sound: jax.Array) -> tuple[jax.Array, ...]:
        codes, reach = pair.coder.encode(motion[:, :WINDOW]), WINDOW + PATCH
        heard = sound[:, : config.audio_rate * reach]
        speaker = pair.listener.speaker(motion[:, :reach], heard)[0]
        logits = pair.listener.logits(speaker, codes, jax.numpy.asarray(4), only_first=True)
        return codes, pair.coder.decode(codes), logits[:, 0]

    seen = [np.asarray(x).tolist() for x in system.model._jit(look)(motion, sound)]

    def one_pass(stages: Stages, _: int) -> dict[str, Any]:
        stages.timed("pass", answer)
        return dict(zip(("codes", "decoded", "logits"), seen, strict=True))

    return one_pass


PASSES: dict[str, Callable[[Path, Sizes], Pass]] = {
    "trans-vae": trans_vae,
    "trans-vae-step": trans_vae_step,
    "belfusion": belfusion,
    "belfusion-vae-step": belfusion_vae_step,
    "belfusion-denoiser-step": belfusion_denoiser_step,
    "learning2listen": learning2listen,
    "learning2listen-corrected": learning2listen,
}


def main() -> None:
    keep_memory()  # as every command does
    job, run, (clips, crop) = sys.argv[1], Path(sys.argv[2]), map(int, sys.argv[3:5])
    sizes = dataclasses.replace(SIZES["released"], clips=clips, crop=crop)
    one_pass = PASSES[job](run, sizes)
    serve(one_pass, {"jax": jax.__version__, "flax": flax.__version__})


if __name__ == "__main__":
    main()
