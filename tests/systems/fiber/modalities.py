"""What a predictor's training asks of a clip."""

from jaxreact.data.modality import Modality

FACES = (Modality("speaker", "coeffs"), Modality("listener", "coeffs"))
HEARD = (*FACES, Modality("speaker", "waveform"))
