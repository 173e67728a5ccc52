"""Trained or converted models, ready to be called: what `jaxreact.load_*` return."""

from jaxreact.inference.audio_encoder import Encoder, load_audio_encoder
from jaxreact.inference.face_generator import FaceGenerator, load_face_generator
from jaxreact.inference.inception import Inception, load_inception
from jaxreact.inference.predictor import Predictor, load_predictor
from jaxreact.inference.tokenizer import Tokenizer, load_tokenizer

__all__ = [
    "Encoder",
    "FaceGenerator",
    "Inception",
    "Predictor",
    "Tokenizer",
    "load_audio_encoder",
    "load_face_generator",
    "load_inception",
    "load_predictor",
    "load_tokenizer",
]
