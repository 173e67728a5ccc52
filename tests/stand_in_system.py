"""A system of which one can tell by hand what it answers."""

from types import SimpleNamespace

import numpy as np

from jaxreact.systems.fiber.system import Fiber
from tests.checking import unchecked

MEAN = np.linspace(0, 1, 58, dtype=np.float32)


class _Part:
    precision = "tensorfloat32"

    def in_precision(self, precision):
        self.precision = precision
        return self


class _Encoder(_Part):
    """Mean and place of each 25 ms window every 20 ms: wav2vec2's frames without its weights."""

    def __call__(self, waveform: np.ndarray) -> np.ndarray:
        windows = np.lib.stride_tricks.sliding_window_view(waveform, 400, axis=1)[:, ::320]
        return np.repeat(windows.mean(-1, keepdims=True), 512, axis=2)


class _Tokenizer(_Part):
    """Codes are the jaw's opening in per cent; the face of a code opens the jaw by it."""

    block_size = 32
    mean_face = MEAN

    def codes_of(self, coeffs):
        return np.round(100 * (coeffs - MEAN)[..., 24]).astype(int)

    def decode(self, codes):
        coeffs = np.zeros((*codes.shape, 58), np.float32)
        coeffs[..., 24] = codes / 100
        return coeffs, np.zeros((*codes.shape, 25), np.float32)


class _Predictor(_Part):
    """Listener i opens the mouth like the speaker, by i per cent more."""

    config = SimpleNamespace(traits=False)

    def generate(self, audio_features, speaker_codes, *, num_samples, **sampling):
        self.features, self.sampling = audio_features, sampling
        return speaker_codes[:, None] + np.arange(num_samples)[None, :, None]


def stand_in_system() -> Fiber:
    with unchecked():
        return Fiber(_Tokenizer(), _Predictor(), _Encoder())  # pyright: ignore[reportArgumentType]
