"""The peer's folder for Lambda: the same locked packages as this project's, whole, and its handler."""

import compileall
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

HANDLER = Path(__file__).with_name("handler.py")
# wrapt has a compiled module, and falls back to Python where it cannot be loaded: one folder does for every machine.
PLATFORM = ["--python-version", "3.13", "--python-platform", "aarch64-unknown-linux-gnu"]


def bundle(project: Path) -> Path:
    """Return the folder under ``build/``, made anew if its input has changed.

    Raises:
        subprocess.CalledProcessError: a package could not be installed; uv's message says why.
    """
    lock = project / "requirements" / "handler.txt"
    digest = hashlib.sha256(lock.read_bytes() + HANDLER.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    folder = project / "build" / f"peer-{digest}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            build(lock, Path(unfinished) / "peer")
            try:
                (Path(unfinished) / "peer").rename(folder)
            except OSError:
                if not folder.exists():  # else another build of the same input was quicker
                    raise
    return folder


def build(lock: Path, folder: Path) -> None:
    """Install the packages and put the handler beside them, all compiled: the peer starts as quickly as it can."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), *PLATFORM]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "-r", str(lock)]
    subprocess.run(command, check=True)
    shutil.copy(HANDLER, folder)
    compileall.compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
