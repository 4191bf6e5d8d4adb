"""Builds the folder that is deployed to Lambda: our code, its locked packages and their bytecode, without Docker.

The same input gives the same bytes on any machine, so that a deployment changes the function only if its code changed.
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

# What is installed does not depend on this machine; the compiled modules in it are removed below in any case.
PLATFORM = ["--python-version", "3.13", "--python-platform", "aarch64-unknown-linux-gnu"]
PACKAGES = ("contract", "handler")  # our own, of which the function consists
DEPLOYED_AT = "/var/task"  # where Lambda unpacks the function: the path in the bytecode, instead of this machine's
SERVICES = {
    "connect",
    "events",
    "s3",
    "sqs",
    "xray",
}  # the clients that are made; xray's by aws_xray_sdk, when it is imported
KEPT_METADATA = ("METADATA", "LICENSE*", "NOTICE*", "licenses")


def bundle(project: Path) -> Path:
    """Return the function's folder under `build/`, building it only if its input has changed since.

    Args:
        project: The project's folder; `contract/`, `handler/` and `requirements/handler.txt` in it are the input.

    Raises:
        RuntimeError: This is not Python 3.13, or a package could not be installed.
    """
    if sys.version_info[:2] != (3, 13):
        raise RuntimeError("the bundle holds bytecode for Lambda's Python 3.13: run CDK with Python 3.13 (make does)")
    folder = project / "build" / f"bundle-{_digest(project)}"
    if not folder.exists():
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            build(project, Path(unfinished) / folder.name)
            _put(Path(unfinished) / folder.name, folder)
    return folder


def build(project: Path, folder: Path) -> None:
    """Build the bundle in `folder`, which must not exist yet; needs the package index unless uv has it all cached."""
    _install(project / "requirements" / "handler.txt", folder)
    _trim(folder)
    for source in _our_files(project):
        target = folder / source.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    _compile_schema(folder / "contract")
    _compile(folder)
    _set_modes(folder)


def _put(built: Path, folder: Path) -> None:
    """Rename a finished bundle into its place, in one step, and remove those of earlier input."""
    try:
        built.rename(folder)
    except OSError:
        if not folder.exists():  # else another build of the same input was quicker
            raise
    for path in folder.parent.glob("bundle-*"):
        if path != folder:
            shutil.rmtree(path, ignore_errors=True)  # another build may be removing it, too


def _our_files(project: Path) -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((project / package).rglob("*")):
            if path.suffix in {".py", ".json"}:
                yield path


def _digest(project: Path) -> str:
    """Return a digest of all that the bundle is made from, this file and the compiler included."""
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
    """Install the locked packages: wheels only, since building one would run its code here."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), *PLATFORM]
    # Copies, because what is linked to uv's cache must not be changed.
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy", "-r", str(lock)]
    # From uv's cache if all is there: then a change of the handler's code builds without a network, too.
    if subprocess.run([*command, "--offline"], check=False, capture_output=True).returncode == 0:  # noqa: S603  # no shell
        return
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603  # fixed arguments, no shell
        raise RuntimeError(f"could not install {lock}: see uv's message above; it needs the package index once")


def _trim(folder: Path) -> None:
    """Remove what Lambda does not use, what fits one processor only, and what differs from build to build."""
    _remove(folder.glob(".lock"), folder.glob("bin"), folder.glob("boto3/data/*"))
    _remove(path for path in folder.glob("botocore/data/*") if path.is_dir() and path.name not in SERVICES)
    service_model.cut_models(folder / "botocore" / "data")
    # wrapt falls back to Python without its compiled module: one bundle for arm64 and x86_64.
    _remove(folder.rglob("*.so"))
    for metadata in folder.glob("*.dist-info"):
        kept = {path for pattern in KEPT_METADATA for path in metadata.glob(pattern)}
        _remove(path for path in metadata.iterdir() if path not in kept)


def _remove(*found: Iterator[Path]) -> None:
    for paths in found:
        for path in list(paths):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _compile_schema(contract: Path) -> None:
    """Write the check of replies as code, which contract/reply.py would otherwise compile in each cold start."""
    schema = json.loads((contract / "reply.schema.json").read_bytes())
    code = fastjsonschema.compile_to_code(schema, use_default=False, use_formats=False)
    (contract / "reply_check.py").write_text(code, encoding="utf-8")


def _compile(folder: Path) -> None:
    """Compile every module, since Lambda's file system is read-only: otherwise each cold start compiles them all.

    Source times don't survive the zip, so the bytecode is `unchecked-hash`: Python takes it without looking at them.
    """
    command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", DEPLOYED_AT, str(folder)]
    subprocess.run(command, check=True)  # noqa: S603  # fixed arguments, no shell


def _set_modes(folder: Path) -> None:
    """Set what the umask of this machine would decide, and Lambda needs to be readable."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
