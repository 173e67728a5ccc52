"""Trained or converted models, ready to be called: what `jaxreact.load_*` return."""

import hashlib
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Bool, Float, Int, UInt8

from jaxreact import generation, runs
from jaxreact.errors import UserError
from jaxreact.generation import Sampling, Vocabulary
from jaxreact.models.face_generator.generator import Pictures, Source
from jaxreact.models.inception import prepare
from jaxreact.models.precision import Precision

Given = jax.Array | np.ndarray
"""What callers may give; what they get is a `jax.Array`."""


class _Compiled:
    """A model whose methods are jitted with its variables as an argument."""

    def __init__(self, model: Any, content: dict[str, Any], directory: str | Path):
        self.config = model.config
        self.content = content
        self.directory = Path(directory)
        self._graph, self._state = nnx.split(model)

    def placed(self, sharding: jax.sharding.Sharding) -> Self:
        """The same model with its variables placed so, such as a whole copy on each device."""
        model = nnx.merge(self._graph, jax.device_put(self._state, sharding))
        return type(self)(model, self.content, self.directory)

    def fingerprint(self) -> str:
        """16 hex digits that tell models apart by their configuration and variables."""
        digest = hashlib.sha256(repr(self.config).encode())
        for leaf in jax.tree.leaves(nnx.to_pure_dict(self._state)):
            digest.update(np.asarray(leaf).tobytes())
        return digest.hexdigest()[:16]

    def _jit(self, function: Any, **options: Any) -> Any:
        """`function(model, ...)` as a jitted function of the other arguments."""

        def call(state: nnx.State, *args: Any, **kwargs: Any) -> Any:
            return function(nnx.merge(self._graph, state), *args, **kwargs)

        return partial(jax.jit(call, **options), self._state)


class Tokenizer(_Compiled):
    """Face coefficients <-> codes. Coefficients are mean-subtracted."""

    @cached_property
    def mean_face(self) -> np.ndarray:
        """(58,) float32: raw coefficients minus mean-subtracted ones.

        Raises UserError if the run does not know it (a conversion without `--mean-face`).
        """
        return runs.mean_face(self.content, self.directory)

    @property
    def codebook_size(self) -> int:
        return self.config.codebook_size

    @cached_property
    def _encode(self) -> Any:
        return self._jit(lambda model, coeffs: model.encode(coeffs))

    @cached_property
    def _decode(self) -> Any:
        return self._jit(lambda model, codes: model.decode(codes))

    def encode(self, coeffs: Float[Given, "batch time 58"]) -> Int[Array, "batch time"]:
        """Codes in [0, codebook_size). ValueError unless `time` is a multiple of the block."""
        return self._encode(jnp.asarray(coeffs, jnp.float32))

    def decode(
        self, codes: Int[Given, "batch time"]
    ) -> tuple[Float[Array, "batch time 58"], Float[Array, "batch time 25"]]:
        """Coefficients and emotion. ValueError unless `time` is a multiple of the block.

        Codes outside the codebook wrap as in the original (behaviour 32).
        """
        return self._decode(jnp.asarray(codes, jnp.int32))


class Predictor(_Compiled):
    """The listener's reaction to a speaker, as codes."""

    @cached_property
    def _logits(self) -> Any:
        return self._jit(lambda model, *inputs: model(*inputs))

    @cached_property
    def _generate(self) -> Any:
        return self._jit(
            generation.generate, static_argnames=("sampling", "num_samples", "windows_at_once")
        )

    def logits(
        self,
        audio_features: Float[Given, "batch audio 512"] | Int[Given, "batch audio"],
        speaker_tokens: Int[Given, "batch time"],
        listener_tokens: Int[Given, "batch time"],
        audio_mask: Bool[Given, "batch audio"] | None = None,
        speaker_mask: Bool[Given, "batch time"] | None = None,
        listener_mask: Bool[Given, "batch time"] | None = None,
    ) -> Float[Array, "batch time vocabulary"]:
        """Logits of one window of `block_size` frames, without dropout.

        Tokens are 0 PAD, 1 MASK, code + 2; masks are True where attended; audio has two features a
        frame (`sound_factor` tokens in sound-token mode). Position t speaks of frame
        t + patch_size. Raises ValueError where lengths do not fit each other.
        """
        audio, speaker = jnp.asarray(audio_features), jnp.asarray(speaker_tokens)
        listener, factor = jnp.asarray(listener_tokens), self.config.audio_factor
        batch, time = speaker.shape
        if speaker.shape != listener.shape or audio.shape[:2] != (batch, factor * time):
            raise ValueError(
                f"audio {audio.shape}, speaker {speaker.shape} and listener {listener.shape} do not"
                f" fit: expected (B, {factor} N, ...), (B, N), (B, N)"
            )
        masks = {
            "audio_mask": (audio_mask, (batch, factor * time)),
            "speaker_mask": (speaker_mask, (batch, time)),
            "listener_mask": (listener_mask, (batch, time)),
        }
        for name, (mask, shape) in masks.items():
            if mask is not None and mask.shape != shape:
                raise ValueError(f"{name} is {mask.shape}, expected {shape}")
        if time > self.config.block_size:
            raise ValueError(f"{time} frames are more than the block of {self.config.block_size}")
        return self._logits(audio, speaker, listener, audio_mask, speaker_mask, listener_mask)

    def generate(
        self,
        audio_features: Float[Given, "batch audio 512"] | Int[Given, "batch audio"],
        speaker_codes: Int[Given, "batch time"],
        num_samples: int = 10,
        temperature: float = 1.0,
        top_k: int | None = 512,
        vocabulary: Vocabulary = "codes",
        key: jax.Array | None = None,
    ) -> Int[Array, "batch num_samples time"]:
        """Codes of `num_samples` reactions to each clip.

        Audio has 2 T or 2 T - 1 features for T frames of codes. `top_k=1` is argmax and needs no
        key. `key` is one key, or one for each clip: then a clip's reactions do not depend on which
        clips are generated beside it. See `generation.Sampling` for the rest.
        """
        codes = jnp.asarray(speaker_codes, jnp.int32)
        sampling = Sampling(temperature, top_k, vocabulary)
        keys = None
        if top_k != 1:
            if key is None:
                raise ValueError("generate needs a key= unless top_k=1")
            clip_keys = key if key.ndim else _fold(key, codes.shape[0])
            keys = jax.vmap(lambda clip: _fold(clip, num_samples))(clip_keys)
        return self._generate(
            jnp.asarray(audio_features),
            codes,
            sampling=sampling,
            keys=keys,
            num_samples=num_samples,
        )


def _fold(key: jax.Array, count: int) -> jax.Array:
    """Keys 0 .. count - 1 of a key; each is the same whatever `count` is."""
    return jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.arange(count))


class Encoder(_Compiled):
    """Audio -> wav2vec2 features."""

    @cached_property
    def _features(self) -> Any:
        return self._jit(lambda model, waveform: model(waveform))

    def __call__(self, waveform: Float[Given, "batch samples"]) -> Float[Array, "batch frames 512"]:
        """Features of 16 kHz waveforms, 50 a second; each waveform is normalised first."""
        return self._features(jnp.asarray(waveform, jnp.float32))


class Inception(_Compiled):
    """Pictures -> the features that FID compares."""

    @cached_property
    def _prepare(self) -> Any:
        return jax.jit(partial(prepare, antialias=self.config.antialias))

    @cached_property
    def _features(self) -> Any:
        return self._jit(lambda model, pictures: model.features(pictures))

    def prepare(
        self, images: UInt8[Given, "batch height width 3"]
    ) -> Float[Array, "batch 299 299 3"]:
        """What the network sees of RGB images; compiled anew for each size, in little time."""
        return self._prepare(jnp.asarray(images, jnp.uint8))

    def features(self, pictures: Float[Given, "batch 299 299 3"]) -> Float[Array, "batch 2048"]:
        """Features of prepared pictures, float32; compiled anew for each size of the batch."""
        return self._features(jnp.asarray(pictures, jnp.float32))

    def __call__(self, images: UInt8[Given, "batch height width 3"]) -> Float[Array, "batch 2048"]:
        """Features of RGB images from 0 to 255, float32."""
        return self.features(self.prepare(images))


class FaceGenerator(_Compiled):
    """A portrait and windows of face coefficients -> the face in motion."""

    @cached_property
    def _call(self) -> Any:
        return self._jit(lambda model, image, window: model(image, window))

    @cached_property
    def _source(self) -> Any:
        return jax.jit(lambda state, image: nnx.merge(self._graph, state).source(image))

    @cached_property
    def _prepared(self) -> dict[Precision, nnx.State]:
        return {}

    @cached_property
    def _on_processor(self) -> bool:
        return next(iter(jax.tree.leaves(self._state)[0].devices())).platform == "cpu"

    @cached_property
    def _frames(self) -> Any:
        def frames(state: nnx.State, source: Source, windows: jax.Array) -> jax.Array:
            model = nnx.merge(self._graph, state)
            if not self._on_processor:
                return _to_uint8(model.render(source, windows).fake)
            # A processor's caches hold one picture's features, not those of many.
            return jax.lax.map(
                lambda window: _to_uint8(model.render(source, window[None]).fake[0]), windows
            )

        return jax.jit(frames)

    def __call__(
        self,
        image: Float[Given, "batch height width 3"],
        window: Float[Given, "batch window coefficients"],
    ) -> Pictures:
        """Flow, warped portrait and picture, float32; portraits in [-1, 1], *raw* coefficients.

        Sides are multiples of 32, or ValueError. For a clip, `animate` is faster.
        """
        return self._call(jnp.asarray(image, jnp.float32), jnp.asarray(window, jnp.float32))

    def animate(
        self, portrait: Float[Given, "height width 3"], dtype: Precision = "float32"
    ) -> Callable[[Float[Given, "frames window 58"]], UInt8[Array, "frames height width 3"]]:
        """A function from windows of *raw* coefficients to RGB pictures of the portrait's person.

        What depends on the portrait (in [-1, 1]) alone is computed here, once. `dtype` is what
        convolutions compute in; on NVIDIA's GPUs float32 ones multiply in TF32, as PyTorch's do,
        unless `jax.default_matmul_precision` says otherwise. The function is compiled anew for each
        number of frames.
        """
        if dtype not in self._prepared:
            self._prepared[dtype] = self._jit(self._prepare, static_argnames="dtype")(dtype=dtype)
        state = self._prepared[dtype]
        source = self._source(state, jnp.asarray(portrait, jnp.float32)[None])
        return lambda windows: self._frames(state, source, jnp.asarray(windows, jnp.float32))

    def _prepare(self, model: Any, dtype: Precision) -> nnx.State:
        return nnx.split(model.prepared(dtype, on_processor=self._on_processor))[1]


def _to_uint8(picture: jax.Array) -> jax.Array:
    """[-1, 1] -> 0..255, fractions dropped, as the original does."""
    return ((picture * 0.5 + 0.5) * 255).clip(0, 255).astype(jnp.uint8)


def load_tokenizer(directory: str | Path) -> Tokenizer:
    """The tokenizer of a run or converted directory. Raises UserError if there is none."""
    return Tokenizer(*runs.load_model(directory, "tokenizer"), directory)


def load_predictor(directory: str | Path, **overrides: Any) -> Predictor:
    """The predictor of a run or converted directory. Raises UserError if there is none.

    `overrides` replace fields of its configuration that are no sizes: `mixed_masks=True`
    reproduces the original's mixing of masks in a batch, `codebook_size=` bounds what it emits.
    """
    return Predictor(*runs.load_model(directory, "predictor", **overrides), directory)


def load_audio_encoder(directory: str | Path) -> Encoder:
    """The audio encoder of a converted directory, or the one inside a predictor's directory."""
    directory = Path(directory)
    inside = directory / "audio_encoder"
    if inside.is_dir():
        directory = inside
    elif not (directory / "config.json").exists():
        raise UserError(f"{directory}: no audio encoder here; convert one with convert_weights.py")
    return Encoder(*runs.load_model(directory, "audio_encoder"), directory)


def load_inception(directory: str | Path, *, antialias: bool = False) -> Inception:
    """FID's Inception of a converted directory. Raises UserError if there is none.

    `antialias`: how images are resized, see `InceptionConfig`.
    """
    directory = Path(directory)
    if not (directory / "config.json").exists():
        raise UserError(
            f"{directory}: no Inception network here; download "
            "pt_inception-2015-12-05-6726825d.pth (Apache-2.0) from pytorch-fid's releases and run "
            f"python convert_weights.py inception pt_inception-2015-12-05-6726825d.pth {directory}"
        )
    return Inception(*runs.load_model(directory, "inception", antialias=antialias), directory)


def load_face_generator(directory: str | Path) -> FaceGenerator:
    """PIRender's face generator of a converted directory. Raises UserError if there is none."""
    directory = Path(directory)
    if not (directory / "config.json").exists():
        raise UserError(
            f"{directory}: no face generator here; fetch the challenge baseline's"
            " cur_model_fold.pth (CC BY-NC 4.0) and run"
            f" python convert_weights.py pirender cur_model_fold.pth {directory}"
        )
    return FaceGenerator(*runs.load_model(directory, "face_generator"), directory)
