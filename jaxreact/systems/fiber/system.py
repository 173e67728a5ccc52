"""FIBER as a system: tokenizer, predictor and audio encoder together, raw faces in and out."""

import sys
from dataclasses import asdict, dataclass, replace
from math import gcd
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxreact import runs
from jaxreact.audio_features.batches import audio_features
from jaxreact.audio_features.load import Encoder, load_audio_encoder
from jaxreact.audio_features.sliding import silence
from jaxreact.errors import UserError
from jaxreact.nn.compiled import Given
from jaxreact.nn.precision import Precision
from jaxreact.sharding import DeviceMesh
from jaxreact.systems.fiber import online
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.fiber.loaded_predictor import Predictor, load_predictor
from jaxreact.systems.fiber.loaded_tokenizer import Tokenizer, load_tokenizer
from jaxreact.systems.fiber.online import Sizes, Streams
from jaxreact.systems.online import check_step, react_online
from jaxreact.systems.sampling import SAMPLING, Sampling, Vocabulary
from jaxreact.systems.system import Reactions, Speaker


@dataclass(frozen=True)
class Fiber:
    """The original's system. Options of `react`: `temperature`, `top_k`, `vocabulary`, `top_p` (see
    `Sampling`), `causal`: hear and see nothing before its time, as a stream does, and, of one that
    was trained with them, `traits`: who listens, the Big Five (5,) of all or (batch, 5), 0 to 1,
    NaN or None where nobody knows them."""

    tokenizer: Tokenizer
    predictor: Predictor
    audio_encoder: Encoder
    mesh: DeviceMesh | None = None
    frames_a_step: int | None = None
    """Of streams; None: whole patches, or blocks of codes where these are shorter."""
    name: str = "fiber"
    needs: frozenset[str] = frozenset({"coeffs", "audio"})
    picture_side: None = None

    @property
    def frame_multiple(self) -> int:
        return self.tokenizer.block_size

    mixes: bool = True

    @property
    def options(self) -> frozenset[str]:
        """As `System.options`."""
        traits = {"traits"} if self.predictor.config.traits else set()
        return frozenset({*SAMPLING, "causal", *traits})

    @property
    def sizes(self) -> Sizes:
        """Of a step."""
        config, block = self.predictor.config, self.tokenizer.block_size
        step = self.frames_a_step or gcd(config.patch_size, block)
        return Sizes(step, block, config.patch_size, config.block_size)

    @property
    def step(self) -> int:
        """As `OnlineSystem.step`."""
        return self.sizes.step

    @property
    def lead(self) -> int:
        """As `OnlineSystem.lead`."""
        return self.step

    @property
    def settings(self) -> dict[str, str | int | bool]:
        """As `System.settings`."""
        traits = {"traits": True} if self.predictor.config.traits else {}
        return {"online": True, "window": self.step, **traits}

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
        traits: Float[Given, "*batch 5"] | None = None,
    ) -> Reactions:
        """As `System.react`. A clip's sound that is too short is continued by silence."""
        sampling = Sampling(temperature, top_k, vocabulary, top_p)
        if causal:
            options = {**asdict(sampling), "traits": traits}
            return react_online(self, speaker, num_samples, key=key, **options)
        coeffs, waveform = self._parts(speaker)
        put = self._put
        features = audio_features(self.audio_encoder, waveform, coeffs.shape[1], put)
        codes = self.predictor.generate(
            features,
            self.tokenizer.codes_of(put(coeffs)),
            num_samples=num_samples,
            **asdict(sampling),
            key=None if key is None else put(key) if key.ndim else key,
            traits=traits,
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
        causal: bool = True,
        traits: Float[Given, "*streams 5"] | None = None,
    ) -> Streams:
        """As `OnlineSystem.start`."""
        drawn = Sampling(temperature, top_k, vocabulary, top_p)
        sampling = drawn.of_model(self.predictor.config.temperature)
        listener = self.predictor.start(streams, num_samples, sampling, key, traits)
        sound = silence(self.audio_encoder.config, streams, self.sizes.steps)
        assert sampling.temperature is not None
        rest = replace(sampling, temperature=None)
        return online.start(self.sizes, sound, listener, sampling.temperature, rest)

    def advance(self, state: Streams, speaker: Speaker) -> tuple[Streams, Reactions]:
        """As `OnlineSystem.advance`. Sound is normalised by the last `block_size` frames of it."""
        check_step(self, speaker)
        coeffs = self._put(speaker.coeffs) - self.tokenizer.mean_face
        waveform = online.heard(state, self._put(speaker.waveform))
        sound, features = self.audio_encoder.listen(state.sound, waveform)
        face = online.seen(state, coeffs)
        state = online.observe(state, sound, features, face, self.tokenizer.encode(face))
        state, codes = self.predictor.answer(state)
        first = online.first_shown(self.tokenizer.block_size, self.predictor.config.patch_size)
        coeffs, emotion = self._faces(codes)
        shown = slice(first, first + self.step)
        coeffs, emotion = coeffs[:, :, shown], emotion[:, :, shown]
        if self.step < self.tokenizer.block_size:
            block = online.show(state, coeffs)
            flat = block.reshape(-1, *block.shape[2:])
            state = online.remember(
                state, block, self.tokenizer.encode(flat).reshape(block.shape[:3])
            )
        return state, Reactions(coeffs + self.tokenizer.mean_face, emotion)

    def in_steps(self, frames: int) -> "Fiber":
        """As `OnlineSystem.in_steps`: at most a patch, and a whole number of them a block."""
        sizes = replace(self.sizes, step=frames)
        return replace(self, frames_a_step=sizes.step)

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

    def _reactions(self, codes: Int[Array, "batch samples time"]) -> Reactions:
        coeffs, emotion = self._faces(codes)
        return Reactions(coeffs + self.tokenizer.mean_face, emotion)

    def _faces(self, codes: Int[Array, "batch samples time"]) -> tuple[jax.Array, jax.Array]:
        """Mean-subtracted coefficients, and emotion, of codes."""
        flat = codes.reshape(-1, codes.shape[2])
        coeffs, emotion = self.tokenizer.decode(flat)
        return coeffs.reshape(*codes.shape, -1), emotion.reshape(*codes.shape, -1)


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
