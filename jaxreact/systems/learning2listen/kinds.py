"""What run directories of Learning2Listen's two models hold."""

from jaxreact.runs import Kind
from jaxreact.systems.learning2listen.coder import MotionCoder
from jaxreact.systems.learning2listen.config import ListenerPredictorConfig, MotionCoderConfig
from jaxreact.systems.learning2listen.predictor import ListenerPredictor

CODER = Kind("learning2listen/vqvae", MotionCoderConfig, MotionCoder)
LISTENER = Kind("learning2listen/predictor", ListenerPredictorConfig, ListenerPredictor)
