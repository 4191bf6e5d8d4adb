"""Deploys a cached cloud assembly through CloudFormation's API, without CDK's command line.

Tests, benchmarks and ``make local`` deploy like this. ``make demo`` uses the command line (cdk.py) for the same app.
"""

import fcntl
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from local.aws import ACCOUNT, REGION, ROOT, LocalAws
from local.cdk import CdkApp, finish_tables, outputs, settings_for, with_tools, without_credentials

CACHE = ROOT / "build" / "assemblies"
UNUSED_SECONDS = 86_400
"""After a day without use, what is in the cache is deleted."""
BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"
"""The SSM parameter that `cdk bootstrap` writes, and that each template of CDK reads. Any version will do here."""


def cached_assembly(app: CdkApp, context: Mapping[str, str]) -> Path:
    """Return an app's cloud assembly for this context; synthesise it only if its input has changed since.

    If several processes need the same one, the first synthesises it and the others wait.

    Raises:
        RuntimeError: The app failed; the message has what it printed.
    """
    settings = settings_for(context)
    with cache_entry(app, settings) as folder:
        if not folder.exists():
            fill(folder, lambda out: _run(app, settings, out))
        os.utime(folder)
    return folder


@contextmanager
def cache_entry(app: CdkApp, settings: Mapping[str, str]) -> Iterator[Path]:
    """Yield the folder of an app's cloud assembly, locked for this process. It does not exist before it's filled."""
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = CACHE / _digest(app, settings)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # it ends with this process
        yield folder


def fill(folder: Path, synthesise: Callable[[Path], object]) -> None:
    """Have a cloud assembly written, zip the folders that its assets are, and put it into the cache."""
    _delete_unused()
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="unfinished-") as name:
        out = Path(name) / "out"
        synthesise(out)
        for source, is_folder, _, key in _assets(out):
            if is_folder:
                _zip(source, out / key)
        out.rename(folder)


def _zip(source: Path, archive: Path) -> None:
    """Zip a folder, unless another assembly has the same one: its name is a digest of what is in it."""
    shared = CACHE / archive.name
    with suppress(FileNotFoundError):
        archive.hardlink_to(shared)
        return
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                zipped.write(path, path.relative_to(source))
    with suppress(FileExistsError):  # another process was faster
        shared.hardlink_to(archive)


def cdk_context(settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the context that an app gets: that of cdk.json, the settings, and assets in place of copies of them."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return {**context, **settings, "aws:cdk:disable-asset-staging": True}


def deploy_assembly(aws: LocalAws, assembly: Path, stack: str) -> dict[str, str]:
    """Create or update the stack of a cloud assembly, as `cdk deploy --method direct` does; return its outputs."""
    template_url = ""
    ssm = aws.session.client("ssm", endpoint_url=aws.endpoint)
    ssm.put_parameter(Name=BOOTSTRAP_VERSION, Value="30", Type="String", Overwrite=True)
    for source, is_folder, bucket, key in _assets(assembly):
        with suppress(aws.files.exceptions.BucketAlreadyOwnedByYou):
            aws.files.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        aws.files.put_object(
            Bucket=bucket, Key=key, Body=(assembly / key).read_bytes() if is_folder else source.read_bytes()
        )
        if source.name == f"{stack}.template.json":
            template_url = f"{aws.endpoint}/{bucket}/{key}"
    names = {each["StackName"] for each in aws.stacks.describe_stacks()["Stacks"]}
    change: Any = aws.stacks.update_stack if stack in names else aws.stacks.create_stack
    change(StackName=stack, TemplateURL=template_url, Capabilities=["CAPABILITY_NAMED_IAM"])
    finish_tables(aws, stack)
    return outputs(aws, stack)


def _digest(app: CdkApp, settings: Mapping[str, str]) -> str:
    """Return a digest of all that an assembly is made from."""
    digest = hashlib.sha256(json.dumps([sys.version, app.command, sorted(settings.items())]).encode())
    for source in app.sources:
        for path in [source] if source.is_file() else sorted(source.rglob("*")):
            if path.suffix in {".py", ".json", ".txt"}:
                content = path.read_bytes()
                digest.update(f"{path.name} {path.parent.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def _run(app: CdkApp, settings: Mapping[str, str], folder: Path) -> None:
    """Run the app as `cdk synth` does, with the context in its environment."""
    context = json.dumps(cdk_context(settings))
    environment = without_credentials() | {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": context}
    ended = subprocess.run(
        shlex.split(app.command),
        env=with_tools(environment),
        cwd=ROOT,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ended.returncode:
        raise RuntimeError(f"`{app.command}` failed with status {ended.returncode}:\n{ended.stdout}")


def _assets(assembly: Path) -> Iterator[tuple[Path, bool, str, str]]:
    """Yield each asset of an assembly: its source, whether that is a folder, and the bucket and key it goes to."""
    for manifest in assembly.glob("*.assets.json"):
        for asset in json.loads(manifest.read_text())["files"].values():
            (destination,) = asset["destinations"].values()
            source = assembly / asset["source"]["path"]
            # An app that does not say where it is deployed leaves both to CDK.
            bucket = destination["bucketName"].replace("${AWS::AccountId}", ACCOUNT).replace("${AWS::Region}", REGION)
            yield source, asset["source"]["packaging"] == "zip", bucket, destination["objectKey"]


def _delete_unused() -> None:
    for path in CACHE.iterdir():
        with suppress(FileNotFoundError):  # another process may be deleting it, too
            if path.stat().st_mtime < time.time() - UNUSED_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
