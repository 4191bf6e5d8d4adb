"""A plain peer: a handler and a stack written after the documentation of Powertools and CDK."""

import compileall
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from py_compile import PycInvalidationMode

from local.aws import ROOT
from local.cdk import CdkApp

PEER = CdkApp("peer", "python -m bench.peer.stack", (Path(__file__).parent, ROOT / "cdk.json", ROOT / "requirements"))
HANDLER = Path(__file__).with_name("handler.py")
# wrapt has a compiled module, and uses Python where it can't load that: one folder serves every machine.
PLATFORM = ["--python-version", "3.13", "--python-platform", "aarch64-unknown-linux-gnu"]


def bundle() -> Path:
    """Return the function's folder under `build/`: its handler, and whole packages in reply-courier's locked versions.

    The folder is built only if its input has changed.

    Raises:
        subprocess.CalledProcessError: uv couldn't install a package; its message says why.
    """
    lock = ROOT / "requirements" / "handler.txt"
    digest = hashlib.sha256(lock.read_bytes() + HANDLER.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    folder = ROOT / "build" / f"peer-{digest}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            built = Path(unfinished) / "peer"
            command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(built), *PLATFORM]
            command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy"]
            subprocess.run([*command, "-r", str(lock)], check=True)
            shutil.copy(HANDLER, built)
            # Compiled: the peer starts as fast as it can.
            compileall.compile_dir(built, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
            try:
                built.rename(folder)
            except OSError:
                if not folder.exists():  # otherwise another process built the same input first
                    raise
    return folder
