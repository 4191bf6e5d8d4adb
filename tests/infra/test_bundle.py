import json
import marshal
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contract.reply import InvalidReplyError, parse
from infra.bundle import _move_into_place, build, bundle
from infra.service_model import CALLED, CONTACTS, CONTACTS_API_VERSION
from tests.infra.conftest import ARN, Template, the_one
from tests.infra.test_service_model import snake
from tests.samples import reply

PROJECT = Path(__file__).parents[2]

# As in Lambda: only the bundle to import from (no site-packages), and a read-only file system (-B).
START = [sys.executable, "-I", "-S", "-B", "-c"]
REGION = {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first") / "bundle"
    build(PROJECT, folder)
    return folder


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """The mode and bytes of all that is in a folder."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, b"" if path.is_dir() else path.read_bytes())
        for path in folder.rglob("*")
    }


def run_in(folder: Path, program: str) -> str:
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); {program}"
    ended = subprocess.run([*START, program], env=REGION, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_the_same_input_gives_the_same_bytes_and_modes(built: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "some" / "other folder" / "bundle"
    elsewhere.parent.mkdir(parents=True)
    umask = os.umask(0o077)
    try:
        build(PROJECT, elsewhere)
    finally:
        os.umask(umask)

    first, second = contents(built), contents(elsewhere)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_it_holds_our_code_the_contract_and_the_packages(built: Path) -> None:
    for ours in ("contract", "handler"):
        names = {path.name for path in (PROJECT / ours).glob("*") if path.suffix in {".py", ".json"}}
        made = {"reply_check.py"} if ours == "contract" else set()
        assert {path.name for path in (built / ours).iterdir() if path.is_file()} == names | made
    assert (built / "contract" / "reply.schema.json").is_file()
    assert all((built / package).is_dir() for package in ("aws_lambda_powertools", "boto3", "botocore", "aws_xray_sdk"))


def test_builds_at_the_same_time_do_not_stumble_over_what_the_other_removes(tmp_path: Path) -> None:
    folder = tmp_path / "bundle-new"

    builds = [tmp_path / f"built-{n}" for n in range(40)]
    for built in builds:
        built.mkdir()
        (built / "app.py").touch()
    for n in range(800):
        (tmp_path / f"bundle-{n}" / "in" / "it").mkdir(parents=True)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda built: _move_into_place(built, folder), builds))
    assert (folder / "app.py").exists()


def test_replies_are_checked_by_the_code_in_the_bundle_as_they_are_here(built: Path) -> None:
    destinations: list[dict[str, Any]] = [
        {"DestinationEmailAddress": {"EmailAddress": address}} for address in ("a b", "", "a@b.example")
    ]
    bodies = ["{}", "[]", *(json.dumps(reply(**changes)) for changes in ({}, {"Subject": "x"}, *destinations))]

    def said(body: str) -> str:
        try:
            return str(parse(body, "arn") and "taken")
        except InvalidReplyError as invalid:
            return str(invalid)

    program = f"""
from contract.reply import InvalidReplyError, parse, _check
assert _check.__module__ == "contract.reply_check"
for body in {bodies!r}:
    try:
        print(parse(body, "arn") and "taken")
    except InvalidReplyError as invalid:
        print(invalid)
"""
    assert run_in(built, program).splitlines() == [said(body) for body in bodies]


def test_one_bundle_fits_both_processors(built: Path) -> None:
    assert [str(path) for path in built.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}] == []
    assert run_in(built, "import wrapt; print(wrapt.ObjectProxy.__module__)") == "wrapt.proxies"


def test_the_clients_that_are_made_have_their_data_and_no_others(built: Path) -> None:
    assert {path.name for path in (built / "botocore" / "data").iterdir() if path.is_dir()} == {
        "connect",
        "dynamodb",
        "events",
        "s3",
        "sqs",
        "xray",
    }
    clients = "[boto3.client(name).meta.service_model.service_name for name in ('connect', 'sqs', 'xray')]"
    assert run_in(built, f"import aws_xray_sdk.core, boto3; print({clients})") == "['connect', 'sqs', 'xray']"


def test_a_client_has_the_model_of_the_send_and_another_one_that_of_drafts(built: Path) -> None:
    program = f"""
import boto3
for version in (None, {CONTACTS_API_VERSION!r}):
    print(*sorted(boto3.client("connect", api_version=version).meta.method_to_api_mapping.values()))
"""
    assert run_in(built, program).splitlines() == ["StartOutboundEmailContact", " ".join(sorted(CONTACTS))]


def test_a_start_reads_nothing_of_what_only_drafts_need(built: Path, template: Template) -> None:
    names = the_one(template, "AWS::Lambda::Function")["Environment"]["Variables"]
    program = f"""
import os, sys
sys.addaudithook(lambda event, arguments: event == "open" and print(arguments[0]))
os.environ.update({dict.fromkeys(names, "1") | {"CONNECT_INSTANCE_ARN": ARN}!r})
import handler.app
"""
    data = built / "botocore" / "data"
    read = [Path(each).relative_to(data).parts for each in run_in(built, program).splitlines() if str(data) in each]
    assert {parts[0] for parts in read if "service-2" in parts[-1]} == {"connect", "xray"}
    assert CONTACTS_API_VERSION not in {part for parts in read for part in parts}


CALLS: dict[tuple[str, str], dict[str, object]] = {
    ("connect", "create_contact"): {"InstanceId": "i", "Channel": "EMAIL", "InitiationMethod": "FLOW"},
    ("connect", "describe_contact"): {"InstanceId": "i", "ContactId": "c"},
    ("connect", "start_outbound_email_contact"): {
        "InstanceId": "i",
        "ContactId": "c",
        "DestinationEmailAddress": {"EmailAddress": "a@b.example"},
        "EmailMessage": {"MessageSourceType": "RAW"},
        "ClientToken": "t",
    },
    ("connect", "stop_contact"): {"InstanceId": "i", "ContactId": "c"},
    ("dynamodb", "describe_table"): {"TableName": "table"},
    ("dynamodb", "get_item"): {"TableName": "table", "Key": {"TokenHash": {"S": "h"}}},
    ("dynamodb", "update_item"): {"TableName": "table", "Key": {"TokenHash": {"S": "h"}}},
    ("events", "put_events"): {"Entries": [{"Source": "s", "DetailType": "d", "Detail": "{}"}]},
    ("s3", "get_object"): {"Bucket": "b-1", "Key": "k"},
    ("sqs", "change_message_visibility"): {"QueueUrl": "q", "ReceiptHandle": "r", "VisibilityTimeout": 1},
    ("sqs", "send_message"): {"QueueUrl": "q", "MessageBody": "b"},
}
"""What the function asks for, each with what it cannot do without."""


def test_every_call_of_the_function_goes_out_of_the_bundle(built: Path) -> None:
    """As far as the wire, and back with an error that is read: nobody is there to answer."""
    drafts = {snake(name) for name in CONTACTS}
    kept = {(service, snake(name)) for service in CALLED for name in CALLED[service]}
    assert kept | {("connect", name) for name in drafts} == set(CALLS)
    program = f"""
import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
KEYS = {{"region_name": "eu-central-1", "aws_access_key_id": "a", "aws_secret_access_key": "s"}}
for (service, operation), arguments in {CALLS!r}.items():
    once = Config(retries={{"total_max_attempts": 1}})
    version = {CONTACTS_API_VERSION!r} if operation in {drafts!r} else None
    client = boto3.client(service, api_version=version, endpoint_url="http://127.0.0.1:1", config=once, **KEYS)
    try:
        getattr(client, operation)(**arguments)
    except EndpointConnectionError:
        print(operation)
"""
    assert run_in(built, program).split() == [operation for _, operation in CALLS]


def test_every_module_comes_with_bytecode_that_needs_no_source_time(built: Path) -> None:
    for source in built.rglob("*.py"):
        bytecode = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
        assert bytecode.read_bytes()[4:8] == b"\x01\0\0\0", source  # the flags of PEP 552: hash-based, unchecked


def test_bytecode_names_the_path_in_lambda_and_not_the_one_of_this_machine(built: Path) -> None:
    bytecode = (built / "contract" / "__pycache__" / "reply.cpython-313.pyc").read_bytes()
    assert marshal.loads(bytecode[16:]).co_filename == "/var/task/contract/reply.py"


def test_licences_stay_and_what_installers_leave_behind_goes(built: Path) -> None:
    packages = list(built.glob("*.dist-info"))
    assert packages
    assert all((package / "METADATA").is_file() for package in packages)
    assert [name for name in ("bin", ".lock") if (built / name).exists()] == []
    assert [path for path in built.rglob("*.dist-info/*") if path.name in {"RECORD", "INSTALLER", "WHEEL"}] == []
    licences = [path for package in packages for path in package.rglob("*") if "LICENSE" in path.name]
    assert len(licences) >= len(packages) - 2, "wheels of two packages carry no licence file"


def small_project(folder: Path) -> Path:
    """A project whose handler needs no packages, so that nothing is installed."""
    (folder / "handler").mkdir(parents=True)
    (folder / "handler" / "app.py").write_text("VERSION = 1\n")
    (folder / "contract").mkdir()
    (folder / "contract" / "reply.schema.json").write_text("{}")
    (folder / "requirements").mkdir()
    (folder / "requirements" / "handler.txt").write_text("")
    return folder


def test_it_is_built_again_only_when_its_input_has_changed(tmp_path: Path) -> None:
    project = small_project(tmp_path)
    first = bundle(project)
    (first / "untouched").touch()
    assert (bundle(project) / "untouched").exists()

    (project / "handler" / "app.py").write_text("VERSION = 2\n")
    second = bundle(project)
    assert run_in(second, "import handler.app; print(handler.app.VERSION)") == "2"
    assert [path.name for path in (project / "build").iterdir()] == [second.name]


def test_a_build_that_fails_leaves_nothing_that_could_be_taken_for_a_bundle(tmp_path: Path) -> None:
    project = small_project(tmp_path)
    (project / "requirements" / "handler.txt").write_text("boto3==1.0.0\n")  # no hash: uv refuses it
    with pytest.raises(RuntimeError, match=r"could not install .*handler\.txt"):
        bundle(project)
    assert list((project / "build").iterdir()) == []
