"""A head model and its motion as a scene of glTF."""

from io import BytesIO

import numpy as np
import pygltflib as gltf
from PIL import Image

from jaxreact.export.gltf_data import Data
from jaxreact.export.head_mesh import HeadMesh, head_mesh, head_weights
from jaxreact.export.motion import Motion
from jaxreact.export.pose import quaternions, rotations, translations
from jaxreact.face import EXPRESSIONS
from jaxreact.rendering import HeadModel

BODY, HEAD, FACE = range(3)
"""The nodes."""


def scene(head: HeadModel, motion: Motion) -> gltf.GLTF2:
    """The whole file; `export.glb` says what is in it."""
    mesh, data = head_mesh(head), Data()
    made = gltf.GLTF2(
        asset=gltf.Asset(generator="jaxreact"),
        scene=0,
        scenes=[gltf.Scene(name="Reaction", nodes=[BODY, FACE])],
        nodes=_nodes(mesh),
        meshes=[_mesh(mesh, data)],
        skins=[_skin(mesh, data)],
        animations=[_animation(head, mesh, motion, data)],
    )
    _paint(made, data)
    made.accessors, made.bufferViews = data.accessors, data.views
    made.buffers = [gltf.Buffer(byteLength=len(data.blob))]
    made.set_binary_blob(data.blob)
    return made


def _nodes(mesh: HeadMesh) -> list[gltf.Node]:
    return [
        gltf.Node(name="Body", translation=mesh.pivot.tolist(), children=[HEAD]),
        gltf.Node(name="Head"),
        gltf.Node(name="Face", mesh=0, skin=0),
    ]


def _mesh(mesh: HeadMesh, data: Data) -> gltf.Mesh:
    vertices = gltf.ARRAY_BUFFER
    index = np.uint16 if len(mesh.positions) <= 65535 else np.uint32
    attributes = gltf.Attributes(
        POSITION=data.array(mesh.positions, vertices, bounds=True),
        NORMAL=data.array(mesh.normals, vertices),
        TEXCOORD_0=data.array(_places(mesh.roughness), vertices),
        COLOR_0=data.array(_opaque(mesh.colors), vertices, normalized=True),
        JOINTS_0=data.array(_joints(mesh.grip), vertices),
        WEIGHTS_0=data.array(_joint_weights(mesh.grip), vertices),
    )
    targets = []
    for moved, turned in zip(mesh.targets, mesh.target_normals, strict=True):
        position, normal = data.sparse([moved, turned], [True, False])
        targets.append(gltf.Attributes(POSITION=position, NORMAL=normal))
    primitive = gltf.Primitive(
        attributes=attributes,
        indices=data.array(mesh.faces.astype(index).reshape(-1), gltf.ELEMENT_ARRAY_BUFFER),
        material=0,
        targets=targets,
    )
    return gltf.Mesh(
        name="Face",
        primitives=[primitive],
        weights=[0.0] * len(EXPRESSIONS),
        extras={"targetNames": list(EXPRESSIONS)},  # where all programs look for them
    )


def _skin(mesh: HeadMesh, data: Data) -> gltf.Skin:
    """Head and body both begin at the pivot, about which the head turns on the shoulders."""
    inverse = np.eye(4, dtype=np.float32)
    inverse[3, :3] = -mesh.pivot  # matrices are stored column by column
    binds = data.array(np.stack([inverse, inverse]).reshape(2, 16))
    return gltf.Skin(name="Neck", joints=[HEAD, BODY], skeleton=BODY, inverseBindMatrices=binds)


def _joints(grip: np.ndarray) -> np.ndarray:
    """Of the skin's joints the head, and the body where it counts."""
    joints = np.zeros((len(grip), 4), np.uint8)
    joints[:, 1] = grip < 1
    return joints


def _joint_weights(grip: np.ndarray) -> np.ndarray:
    weights = np.zeros((len(grip), 4), np.float32)
    weights[:, 0], weights[:, 1] = grip, 1 - grip
    return weights


def _opaque(colors: np.ndarray) -> np.ndarray:
    """In 16 bits, which dark linear light needs, and four numbers, whose size is aligned."""
    rgba = np.full((len(colors), 4), 65535, np.uint16)
    rgba[:, :3] = np.round(colors.clip(0, 1) * 65535)
    return rgba


def _places(roughness: np.ndarray) -> np.ndarray:
    """Where in the picture of `_paint` each vertex finds its roughness."""
    across = (roughness * 255 + 0.5) / 256
    return np.stack([across, np.full_like(across, 0.5)], axis=1).astype(np.float32)


def _paint(made: gltf.GLTF2, data: Data) -> None:
    """Gives the file its one material: colours are those of the vertices, and so is roughness, by
    way of a picture whose columns have all there are (green), and no metal (blue)."""
    ramp = np.zeros((1, 256, 3), np.uint8)
    ramp[0, :, 1] = np.arange(256)
    file = BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    rough = gltf.PbrMetallicRoughness(
        metallicFactor=0.0, metallicRoughnessTexture=gltf.TextureInfo(index=0)
    )
    image = gltf.Image(
        name="Roughness", mimeType="image/png", bufferView=data.view(file.getvalue())
    )
    sampler = gltf.Sampler(
        wrapS=gltf.CLAMP_TO_EDGE,
        wrapT=gltf.CLAMP_TO_EDGE,
        magFilter=gltf.LINEAR,
        minFilter=gltf.LINEAR,
    )
    made.materials = [gltf.Material(name="Face", pbrMetallicRoughness=rough, doubleSided=True)]
    made.textures = [gltf.Texture(sampler=0, source=0)]
    made.samplers, made.images = [sampler], [image]


def _animation(head: HeadModel, mesh: HeadMesh, motion: Motion, data: Data) -> gltf.Animation:
    coeffs = motion.coeffs
    times = data.array(motion.times.astype(np.float32), bounds=True)
    pivots = rotations(coeffs).apply(mesh.pivot) + translations(coeffs)
    curves = {
        (FACE, "weights"): head_weights(head, coeffs).reshape(-1),
        (HEAD, "rotation"): quaternions(coeffs).astype(np.float32),
        (BODY, "translation"): pivots.astype(np.float32),
    }
    made = gltf.Animation(name="Reaction")
    for number, ((node, path), values) in enumerate(curves.items()):
        made.samplers.append(gltf.AnimationSampler(input=times, output=data.array(values)))
        target = gltf.AnimationChannelTarget(node=node, path=path)
        made.channels.append(gltf.AnimationChannel(sampler=number, target=target))
    return made
