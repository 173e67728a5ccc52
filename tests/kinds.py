"""Every kind of model that a run directory can hold, by name."""

from jaxreact.audio_features.load import AUDIO_ENCODER
from jaxreact.metrics.alignment.load import ALIGNMENT
from jaxreact.metrics.realism.load import INCEPTION
from jaxreact.rendering.pirender.load import FACE_GENERATOR
from jaxreact.systems.belfusion.kinds import DENOISER, VAE
from jaxreact.systems.fiber.kinds import PREDICTOR, TOKENIZER
from jaxreact.systems.learning2listen.kinds import CODER, LISTENER

KINDS = {
    kind.name: kind
    for kind in (
        *(TOKENIZER, PREDICTOR, AUDIO_ENCODER, ALIGNMENT, INCEPTION, FACE_GENERATOR),
        *(VAE, DENOISER, CODER, LISTENER),
    )
}
