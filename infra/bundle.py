"""Builds the folder that is deployed to Lambda: our code, its locked packages and their bytecode, without Docker.

The same input gives the same bytes on any machine. So a deployment changes the function only if its code has changed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import fastjsonschema

from infra import service_model

# Installs the same packages on every machine. _trim removes their compiled modules.
PLATFORM = ["--python-version", "3.13", "--python-platform", "aarch64-unknown-linux-gnu"]
PACKAGES = ("contract", "handler")
DEPLOYED_AT = "/var/task"  # where Lambda unpacks the function: the bytecode names this path
# aws_xray_sdk makes a client of xray when it's imported.
SERVICES = {"connect", "dynamodb", "events", "s3", "sqs", "xray"}
KEPT_METADATA = ("METADATA", "LICENSE*", "NOTICE*", "licenses")


def bundle(project: Path) -> Path:
    """Return the function's folder under `build/`; build it only if its input has changed.

    Args:
        project: The project's folder; `contract/`, `handler/` and `requirements/handler.txt` in it are the input.

    Raises:
        RuntimeError: This isn't Python 3.13, or uv can't install a package.
    """
    if sys.version_info[:2] != (3, 13):
        raise RuntimeError("the bundle holds bytecode for Lambda's Python 3.13: run CDK with Python 3.13 (make does)")
    folder = project / "build" / f"bundle-{_digest(project)}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            build(project, Path(unfinished) / folder.name)
            _move_into_place(Path(unfinished) / folder.name, folder)
    return folder


def build(project: Path, folder: Path) -> None:
    """Build the bundle in `folder`, which must not exist; needs the package index unless uv has cached all packages."""
    _install(project / "requirements" / "handler.txt", folder)
    _trim(folder)
    for source in _our_files(project):
        target = folder / source.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    _compile_schema(folder / "contract")
    _compile(folder)
    _set_modes(folder)


def _move_into_place(built: Path, folder: Path) -> None:
    """Rename a finished bundle in one step, and remove the bundles of earlier input."""
    try:
        built.rename(folder)
    except OSError:
        if not folder.exists():  # else another build of the same input was faster
            raise
    for path in folder.parent.glob("bundle-*"):
        if path != folder:
            shutil.rmtree(path, ignore_errors=True)  # another build may remove it, too


def _our_files(project: Path) -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((project / package).rglob("*")):
            if path.suffix in {".py", ".json"}:
                yield path


def _digest(project: Path) -> str:
    """Return a digest of all input, including this file and the compiler."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (
        Path(__file__),
        Path(service_model.__file__),
        project / "requirements" / "handler.txt",
        *_our_files(project),
    ):
        content = path.read_bytes()
        digest.update(f"{path.name} {path.parent.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _install(lock: Path, folder: Path) -> None:
    """Install the locked packages from wheels only: building a package would run its code here."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), *PLATFORM]
    # Copies: _trim must not change files that are linked to uv's cache.
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "-r", str(lock)]
    # With all packages in uv's cache, a build needs no network.
    if subprocess.run([*command, "--offline"], check=False, capture_output=True).returncode == 0:  # noqa: S603  # no shell
        return
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603  # fixed arguments, no shell
        raise RuntimeError(f"could not install {lock}: see uv's message above. The first build needs the package index")


def _trim(folder: Path) -> None:
    """Remove what Lambda doesn't use, what fits only one processor, and what differs from build to build."""
    _remove(folder.glob(".lock"), folder.glob("bin"), folder.glob("boto3/data/*"))
    _remove(path for path in folder.glob("botocore/data/*") if path.is_dir() and path.name not in SERVICES)
    service_model.cut_models(folder / "botocore" / "data")
    # Without its compiled module, wrapt uses Python: one bundle for arm64 and x86_64.
    _remove(folder.rglob("*.so"))
    for metadata in folder.glob("*.dist-info"):
        kept = {path for pattern in KEPT_METADATA for path in metadata.glob(pattern)}
        _remove(path for path in metadata.iterdir() if path not in kept)


def _remove(*found: Iterator[Path]) -> None:
    for paths in found:
        for path in list(paths):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _compile_schema(contract: Path) -> None:
    """Write the check of replies as code; contract/reply.py would otherwise compile it in each cold start."""
    schema = json.loads((contract / "reply.schema.json").read_bytes())
    code = fastjsonschema.compile_to_code(schema, use_default=False, use_formats=False)
    (contract / "reply_check.py").write_text(code, encoding="utf-8")


def _compile(folder: Path) -> None:
    """Compile every module: Lambda's file system is read-only, so each cold start would compile them all.

    The zip loses the times of source files, so the bytecode is `unchecked-hash`: Python doesn't compare it with them.
    """
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", DEPLOYED_AT, str(folder)]
    subprocess.run(command, check=True)  # noqa: S603  # fixed arguments, no shell


def _set_modes(folder: Path) -> None:
    """Make everything readable for Lambda, whatever this machine's umask is."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
