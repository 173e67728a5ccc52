"""FIBER as a system: tokenizer, predictor and audio encoder together, raw faces in and out."""

import sys
from dataclasses import asdict, dataclass, field, replace
from math import lcm
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxreact import runs
from jaxreact.audio_features.batches import audio_features
from jaxreact.audio_features.load import Encoder, load_audio_encoder
from jaxreact.errors import UserError
from jaxreact.media.sound import SAMPLES_PER_FRAME
from jaxreact.nn.precision import Precision
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.fiber.config import AUDIO_RATE
from jaxreact.systems.fiber.generation import State
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.loaded_predictor import Predictor, load_predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer, load_tokenizer
from jaxreact.systems.fiber.windows import Tail
from jaxreact.systems.sampling import SAMPLING, Sampling, Vocabulary
from jaxreact.systems.system import Reactions, Speaker


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Streams:
    """FIBER between two steps of some streams."""

    waveform: Float[Array, "streams samples"]
    """The sound heard so far, the last `block_size` frames of it at most."""
    predictor: tuple[Tail, State]
    sampling: Sampling = field(metadata={"static": True})


@dataclass(frozen=True)
class Fiber:
    """The original's system. Options of `react`: `temperature`, `top_k`, `vocabulary`, `top_p` (see
    `Sampling`), and `causal`: hear no sound before its time, as a stream does."""

    tokenizer: Tokenizer
    predictor: Predictor
    audio_encoder: Encoder
    mesh: DeviceMesh | None = None
    name: str = "fiber"
    needs: frozenset[str] = frozenset({"coeffs", "audio"})
    options: frozenset[str] = frozenset({*SAMPLING, "causal"})
    picture_side: None = None

    @property
    def frame_multiple(self) -> int:
        return self.tokenizer.block_size

    @property
    def step(self) -> int:
        return lcm(self.predictor.config.patch_size, self.tokenizer.block_size)

    @property
    def settings(self) -> dict[str, str | int | bool]:
        """As `System.settings`."""
        return {"online": True, "window": self.step}

    @property
    def codebook(self) -> Tokenizer:
        return self.tokenizer

    def react(
        self,
        speaker: Speaker,
        num_samples: int = 10,
        *,
        key: jax.Array | None = None,
        temperature: float | None = None,
        top_k: int | None = 512,
        vocabulary: Vocabulary = "codes",
        top_p: float | None = None,
        causal: bool = False,
    ) -> Reactions:
        """As `System.react`. A clip's sound that is too short is continued by silence."""
        sampling = Sampling(temperature, top_k, vocabulary, top_p)
        coeffs, waveform = self._parts(speaker)
        if causal:
            return self._stream(coeffs, waveform, num_samples, key, sampling)
        put = self._put
        features = audio_features(self.audio_encoder, waveform, coeffs.shape[1], put)
        codes = self.predictor.generate(
            features,
            self.tokenizer.codes_of(put(coeffs)),
            num_samples=num_samples,
            **asdict(sampling),
            key=None if key is None else put(key) if key.ndim else key,
        )
        return self._reactions(codes)

    def start(
        self,
        streams: int,
        num_samples: int = 1,
        *,
        key: jax.Array | None = None,
        temperature: float | None = None,
        top_k: int | None = 512,
        vocabulary: Vocabulary = "codes",
        top_p: float | None = None,
    ) -> Streams:
        """As `OnlineSystem.start`."""
        sampling = Sampling(temperature, top_k, vocabulary, top_p)
        predictor = self.predictor.start(streams, num_samples, sampling, key)
        return Streams(jnp.zeros((streams, 0)), predictor, sampling)

    def advance(self, state: Streams, speaker: Speaker) -> tuple[Streams, Reactions]:
        """As `OnlineSystem.advance`; the encoder hears the last `block_size` frames of sound.

        All streams of a state began at one time: how much they have heard is one number.
        """
        coeffs, waveform = self._parts(speaker)
        frames = coeffs.shape[1]
        if frames != self.step or waveform.shape[1] != frames * SAMPLES_PER_FRAME:
            raise ValueError(
                f"{frames} frames and {waveform.shape[1]} samples; a step is {self.step} frames and"
                f" {self.step * SAMPLES_PER_FRAME} samples"
            )
        longest = max(self.predictor.config.block_size, frames) * SAMPLES_PER_FRAME
        waveform = jnp.concatenate([state.waveform, waveform], axis=1)[:, -longest:]
        heard = self.audio_encoder(waveform)  # (streams, 2 frames heard - 1, 512)
        steps = AUDIO_RATE * frames
        features = jnp.pad(heard, ((0, 0), (1, 0), (0, 0)))[:, -steps:]
        mask = jnp.broadcast_to(jnp.arange(steps) >= steps - heard.shape[1], features.shape[:2])
        codes = self.tokenizer.codes_of(coeffs)
        predictor, codes = self.predictor.advance(
            state.predictor, features, mask, codes, state.sampling
        )
        return replace(state, waveform=waveform, predictor=predictor), self._reactions(codes)

    def calibrate(self, coeffs: Float[np.ndarray, "time 58"]) -> Float[np.ndarray, "time 58"]:
        """As `System.calibrate`; the mean is the data set's mean face."""
        return coeffs - coeffs.mean(axis=0) + self.tokenizer.mean_face

    def in_precision(self, precision: Precision) -> "Fiber":
        """As `System.in_precision`; codes of the speaker's face are decided in float32 anyway."""
        return replace(self, **{n: getattr(self, n).in_precision(precision) for n in _PARTS})

    def placed(self, mesh: DeviceMesh) -> "Fiber":
        """As `System.placed`."""
        parts = {name: getattr(self, name).placed(mesh.replicated) for name in _PARTS}
        return replace(self, mesh=mesh, **parts)

    def fingerprint(self) -> dict[str, str]:
        """Of "tokenizer", "predictor" and "audio_encoder"."""
        return {name: getattr(self, name).fingerprint() for name in _PARTS}

    def _put(self, array: Any) -> jax.Array:
        """An array whose first axis is the batch, on the devices."""
        return jnp.asarray(array) if self.mesh is None else jax.device_put(array, self.mesh.batch)

    def _parts(self, speaker: Speaker) -> tuple[Any, Any]:
        speaker.need(self)
        assert speaker.coeffs is not None
        frames = speaker.coeffs.shape[1]
        if frames == 0 or frames % self.frame_multiple:
            raise ValueError(f"{frames} frames are not whole blocks of {self.frame_multiple}")
        return speaker.coeffs, speaker.waveform

    def _stream(
        self,
        coeffs: Any,
        waveform: Any,
        samples: int,
        key: jax.Array | None,
        sampling: Sampling,
    ) -> Reactions:
        """The scan of `advance` over whole clips."""
        batch, frames = coeffs.shape[:2]
        missing = frames * SAMPLES_PER_FRAME - waveform.shape[1]
        waveform = np.pad(np.asarray(waveform), ((0, 0), (0, max(missing, 0))))
        state = self.start(batch, samples, key=key, **asdict(sampling))
        chunks = []
        for begin in range(0, frames, self.step):
            end = begin + self.step
            sound = waveform[:, begin * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]
            state, reactions = self.advance(state, Speaker(coeffs[:, begin:end], sound))
            chunks.append(reactions)
        return Reactions(
            jnp.concatenate([chunk.coeffs for chunk in chunks], axis=2),
            jnp.concatenate([chunk.emotion for chunk in chunks], axis=2),
        )

    def _reactions(self, codes: Int[Array, "batch samples time"]) -> Reactions:
        batch, samples, time = codes.shape
        coeffs, emotion = self.tokenizer.decode(codes.reshape(batch * samples, time))
        return Reactions(
            (coeffs + self.tokenizer.mean_face).reshape(batch, samples, time, -1),
            emotion.reshape(batch, samples, time, -1),
        )


_PARTS = ("tokenizer", "predictor", "audio_encoder")


def load(directory: Path, tokenizer: str | Path | None = None) -> Fiber:
    """FIBER from a predictor's run directory, which holds its tokenizer and its audio encoder.

    `tokenizer` is needed of runs that were made before they held it. Raises UserError where a
    directory is none, or the tokenizer is not the one that the predictor was trained with.
    """
    config, content = runs.read_config(directory, PREDICTOR)
    coder = load_tokenizer(_tokenizer_of(directory, content, tokenizer))
    _check_same(directory, content, "tokenizer", coder.fingerprint(), coder.directory)
    known = min(config.vocab_size, config.vocab_face_size)
    if coder.codebook_size > known:
        raise UserError(
            f"{directory}: knows {known} codes, the tokenizer {coder.directory} has "
            f"{coder.codebook_size}; give the one that it was trained with"
        )
    predictor = load_predictor(directory, codebook_size=min(config.codes, coder.codebook_size))
    encoder = load_audio_encoder(directory)
    _check_same(directory, content, "audio_encoder", encoder.fingerprint(), encoder.directory)
    return Fiber(coder, predictor, encoder)


def load_codebook(directory: Path) -> Tokenizer:
    """The tokenizer of a predictor's run directory, or of its own."""
    if runs.kind_name(directory) == TOKENIZER.name:
        return load_tokenizer(directory)
    content = runs.read_config(directory, PREDICTOR)[1]
    return load_tokenizer(_tokenizer_of(directory, content, None))


def _tokenizer_of(directory: Path, content: dict[str, Any], given: str | Path | None) -> Path:
    """Where the tokenizer of a predictor lies."""
    inside = directory / "tokenizer"
    if given is not None:
        return Path(given)
    if inside.is_dir():
        return inside
    trained = content.get("tokenizer")
    hint = f" (it was trained with {trained})" if trained else ""
    raise UserError(
        f"{directory}: was made before runs held their tokenizer; give the tokenizer's directory "
        f"too, by --tokenizer{hint}"
    )


def _check_same(
    directory: Path, content: dict[str, Any], part: str, fingerprint: str, where: Path
) -> None:
    """Raises UserError where a part is not the one that a run was trained with; where the run does
    not know, a note on stderr says so."""
    recorded = content.get("parts", {}).get(part)
    if recorded is None and where.parent != directory:
        print(
            f"{directory}: does not say which {part} it was trained with; {where} is taken for it",
            file=sys.stderr,
        )
    if recorded is not None and recorded != fingerprint:
        raise UserError(
            f"{directory}: was trained with another {part} than {where} (fingerprint {recorded}, "
            f"not {fingerprint}); leave it out where the run holds its own"
        )
