"""The built-in head as glTF 2.0, in one binary file, moved by a reaction."""

from pathlib import Path

from jaxreact.errors import UserError
from jaxreact.export.motion import Motion
from jaxreact.files import replacing
from jaxreact.rendering import load_builtin_head


def write_glb(path: Path, motion: Motion) -> None:
    """Writes head and shoulders with an animation of their 52 morph targets and of their pose.

    In metres, y up, the face towards +z; targets are named as ARKit names its units. The mesh
    `Face` has a skin that follows the nodes `Body` (translation) and, in it, `Head` (rotation):
    together what `HeadModel.vertices` computes. Raises `UserError` where the extra `export` is not
    installed.
    """
    try:
        from jaxreact.export.gltf_scene import scene
    except ModuleNotFoundError as error:
        if error.name != "pygltflib":
            raise
        raise UserError("glb needs pygltflib: pip install -e '.[export]'") from None
    with replacing(path) as temporary:
        scene(load_builtin_head(), motion).save_binary(str(temporary))
