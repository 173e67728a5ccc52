"""What run directories of the frame-wise listener hold."""

from jaxreact.runs import Kind
from jaxreact.systems.framewise.config import FramewiseConfig
from jaxreact.systems.framewise.model import Framewise

FRAMEWISE = Kind("framewise", FramewiseConfig, Framewise)
