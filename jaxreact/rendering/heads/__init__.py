"""Head models: what turns face coefficients into the vertices of a mesh.

`HeadModel` is what every renderer draws. One ships with the package (`load_builtin_head`); another
comes from FaceVerse v2 (`load_head`), whose model users fetch and convert themselves.
"""

from jaxreact.rendering.heads.builtin import load_builtin_head
from jaxreact.rendering.heads.faceverse import FaceVerse
from jaxreact.rendering.heads.faceverse_file import load_faceverse, load_head
from jaxreact.rendering.heads.head import HeadModel, check_coeffs
from jaxreact.rendering.heads.reference import Reference, read_reference

__all__ = [
    "FaceVerse",
    "HeadModel",
    "Reference",
    "check_coeffs",
    "load_builtin_head",
    "load_faceverse",
    "load_head",
    "read_reference",
]
