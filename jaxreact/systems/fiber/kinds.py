"""What run directories of FIBER's two models hold."""

from jaxreact.runs import Kind
from jaxreact.systems.fiber.config import PredictorConfig
from jaxreact.systems.fiber.predictor import ReactPredictor
from jaxreact.systems.fiber.tokenizer import FaceTokenizer, FaceTokenizerConfig

TOKENIZER = Kind("tokenizer", FaceTokenizerConfig, FaceTokenizer)
PREDICTOR = Kind(
    "predictor", PredictorConfig, ReactPredictor, renamed={"patch_causal": "block_causal"}
)
