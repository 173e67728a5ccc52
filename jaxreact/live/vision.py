"""MediaPipe's files for the browser: npm's package, and the model of the face landmarker.

The page's tracker reads them from this server, as it may ask no other one for anything.
"""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

from jaxreact.errors import UserError, reading, reason_of
from jaxreact.files import building
from jaxreact.tracking.face_models import model_file

PACKAGE, VERSION = "@mediapipe/tasks-vision", "0.10.35"
"""The release of MediaPipe for Python that tracks everywhere else."""
SHA512 = "HOvadwVRE6JC+45nyYhmnywnr5h/J8KZvOeUNVOG9q/0875pZgItznFB9bRTvLc264YSJqiZ1NsIpCStJw/egg=="
"""Of the package's file, in base64, as lock files have it."""
MODEL = "face_landmarker.task"

_FILES = (
    "package.json",
    "vision_bundle.mjs",
    "wasm/vision_wasm_internal.js",
    "wasm/vision_wasm_internal.wasm",
    "wasm/vision_wasm_module_internal.js",
    "wasm/vision_wasm_module_internal.wasm",
    "wasm/vision_wasm_nosimd_internal.js",
    "wasm/vision_wasm_nosimd_internal.wasm",
)
_WORDS = ("LICENSE", "LICENCE", "NOTICE", "README", "COPYING", "AUTHORS")
"""What the names of files begin with that say whose the rest is; a release may have any of them."""
_LARGEST = 64 << 20  # bytes of a file
_PATIENCE = 600  # s


def fetch_vision(folder: Path) -> Path:
    """The folder of MediaPipe's files for browsers, which is fetched by npm where it is not there.

    It is `folder`, and holds `vision_bundle.mjs`, `wasm/` and `face_landmarker.task`. Raises
    UserError where npm is not installed or cannot fetch it, and for another file than that of the
    release.
    """
    folder = Path(folder)
    if not _is_complete(folder):
        with tempfile.TemporaryDirectory() as temporary, building(folder) as made:
            _unpack(_pack(Path(temporary)), made)
            shutil.copyfile(model_file(None), made / MODEL)
    return folder


def _is_complete(folder: Path) -> bool:
    """Whether this release is there; it is never there in part but by somebody's hand."""
    if not all((folder / name).is_file() for name in (*_FILES, MODEL)):
        return False
    try:
        return json.loads((folder / "package.json").read_text("utf-8"))["version"] == VERSION
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _pack(folder: Path) -> Path:
    """The package's file, fetched into `folder`."""
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(f"npm is not there to fetch {PACKAGE} {VERSION}; install it (Node.js)")
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--ignore-scripts"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"npm: cannot fetch {PACKAGE} {VERSION} ({reason_of(error)})") from None
    files = sorted(folder.glob("*.tgz"))
    if done.returncode or len(files) != 1:
        said = next((line for line in done.stderr.splitlines() if line.strip()), "it says nothing")
        raise UserError(f"npm: cannot fetch {PACKAGE} {VERSION} ({reason_of(OSError(said))})")
    digest = hashlib.sha512(files[0].read_bytes()).digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise UserError(
            f"npm: what it gave as {PACKAGE} {VERSION} is another file than that of the release;"
            " ask who runs your registry"
        )
    return files[0]


def _unpack(package: Path, folder: Path) -> None:
    """Writes the files that the page needs, and whose they are, to a new folder."""
    with reading(package, f"no file of {PACKAGE} {VERSION}", "fetch it again"):
        with tarfile.open(package) as archive:
            for member in archive:
                name = PurePosixPath(member.name).relative_to("package").as_posix()
                if not member.isfile() or not _is_wanted(name):
                    continue
                if member.size > _LARGEST:
                    raise ValueError(f"{name} has {member.size} bytes")
                content = archive.extractfile(member)
                assert content is not None  # a file has some
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file)
        if missing := [name for name in _FILES if not (folder / name).is_file()]:
            raise ValueError(f"no {missing[0]}")


def _is_wanted(name: str) -> bool:
    """Only names that are known can be written, so that none leads out of the folder."""
    return name in _FILES or (name.startswith(_WORDS) and "/" not in name)
