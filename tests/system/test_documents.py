"""Runs every command and program in the documents, exactly as shown."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from local.assembly import cached_assembly
from local.aws import ROOT, LocalAws
from local.cdk import REPLY_COURIER, settings_for
from local.connect.control_client import ConnectControl
from local.connect.faults import AFTER, BEFORE
from local.outcomes import BUS
from local.waiting import until
from tests.documents import shown

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
INSTALL = "test_the_command_installs_as_documented_and_without_the_rest_of_the_project"
RUN_ELSEWHERE = {
    "make": "test_make_alone_lists_every_target_in_a_line",
    "make check": ".ci/run",
    "make test": ".ci/run",
    "make bench": "test_bench.py",
    "make storm": "test_storm.py",
    "make explore": "test_explore.py",
    "make demo": "test_demo.py",
    "python3 -m venv ~/courier": INSTALL,
    "~/courier/bin/pip install --quiet --require-hashes -r requirements/courier.txt": INSTALL,
    "~/courier/bin/pip install --quiet --no-deps --no-build-isolation .": INSTALL,
    "make import": "test_make_import_asks_cloudformation_to_import_what_the_runbook_names",
    "make local": "test_make_local_runs_until_it_is_interrupted_and_what_it_says_can_be_pasted",
}
MAKE = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}


def blocks(language: str) -> list[str]:
    texts = [path.read_text() for path in DOCUMENTS]
    return [
        block for text in texts for block in re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ]


def commands() -> list[str]:
    """Each line of a shell block, and each `make …` inside a sentence."""
    shown = [line for block in blocks("sh") for line in block.splitlines() if line]
    for path in DOCUMENTS:
        shown += re.findall(r"`(make(?: \w+)?)`", path.read_text())
    return list(dict.fromkeys(shown))


def without_metadata(template: Any) -> Any:
    """A template's resources without the paths in the app, which only CDK's command line adds."""
    return {
        name: {key: value for key, value in resource.items() if key != "Metadata"}
        for name, resource in template["Resources"].items()
    }


def test_the_commands_work_in_the_order_of_the_documents(empty_aws: LocalAws, tmp_path: Path) -> None:
    """As for a person with a new AWS account, who says yes.

    Slow, since every command runs for real.
    """
    context = {"eventBusName": BUS}
    options = " ".join(f"-c {name}={value}" for name, value in settings_for(context).items())
    environment = {**MAKE, **empty_aws.program_environment, "CONTEXT": options}
    environment["CDK_OUTPUT"] = str(tmp_path / "cdk.out")  # other tests run CDK in this folder, too
    stacks: dict[str, set[str]] = {}
    output = {each.command: each for each in shown("docs/deploy.md")}
    for command in commands():
        if command not in RUN_ELSEWHERE:
            ended = subprocess.run(
                ["bash", "-ec", command],
                cwd=ROOT,
                env=environment,
                check=False,
                input="y\n",
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert ended.returncode == 0, ended.stdout
            if command in output:
                assert output.pop(command).missing(ended.stdout) == [], ended.stdout
            if command == "make deploy":
                environment["CDK_APP"] = environment["CDK_OUTPUT"]  # what it has synthesised will do for the others
                template = empty_aws.stacks.get_template(StackName="reply-courier")["TemplateBody"]
                cached = json.loads(
                    (cached_assembly(REPLY_COURIER, context) / "reply-courier.template.json").read_text()
                )
                assert without_metadata(template) == without_metadata(cached)  # which other tests deploy
            stacks[command] = {stack["StackName"] for stack in empty_aws.stacks.describe_stacks()["Stacks"]}
    assert stacks["make deploy"] == {"CDKToolkit", "reply-courier"}
    assert stacks["make destroy"] == {"CDKToolkit"}
    assert not output.keys() & {"make bootstrap", "make deploy"}


def test_what_runs_elsewhere_does() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    tests = "".join(path.read_text() + path.name for path in Path(__file__).parents[1].glob("*/test_*.py"))
    for command, where in RUN_ELSEWHERE.items():
        assert (command in ci) if where == ".ci/run" else (where in tests)


def test_make_alone_lists_every_target_in_a_line() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, env=MAKE, check=True, capture_output=True, text=True).stdout
    targets = re.search(r"^\.PHONY: help (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets is not None
    assert [line.split()[1] for line in listed.splitlines()] == targets[1].split()


def test_what_was_changed_by_hand_is_restored_by_an_option_that_cdk_has() -> None:
    """docs/deploy.md, "Upgrade and roll back". Whether CloudFormation restores it, local AWS cannot tell."""
    command = ["make", "-n", "deploy", "DEPLOY=--revert-drift"]
    would_run = subprocess.run(command, cwd=ROOT, env=MAKE, check=True, capture_output=True, text=True).stdout
    options = subprocess.run(["cdk", "deploy", "--help"], env=MAKE, check=True, capture_output=True, text=True).stdout
    assert command[-1] in (ROOT / "docs" / "deploy.md").read_text()
    assert re.search(r"^cdk deploy .*--revert-drift", would_run, re.MULTILINE)
    assert "--revert-drift " in options


def test_what_an_organisation_asks_of_bootstrapping_are_options_that_cdk_has() -> None:
    text = " ".join((ROOT / "docs" / "deploy.md").read_text().split())
    told = set(re.findall(r"`(?:cdk bootstrap )?(--[a-z-]+)", text.partition("## In an organisation")[2]))
    command = ["cdk", "bootstrap", "--help"]
    options = subprocess.run(command, env=MAKE | {"COLUMNS": "200"}, check=True, capture_output=True, text=True).stdout
    assert "--custom-permissions-boundary" in told
    of_deploy = {"--tags"}  # in BOOTSTRAP as well
    assert {option for option in told - of_deploy if not re.search(rf"{option}[, ]", options)} == set()
    assert re.search("--tags[, ]", options)


@pytest.fixture
def make_local() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        ["make", "local"], cwd=ROOT, env=MAKE, stdout=subprocess.PIPE, text=True, process_group=0
    ) as make:
        yield make
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGKILL)


def test_make_local_runs_until_it_is_interrupted_and_what_it_says_can_be_pasted(
    make_local: subprocess.Popen[str],
) -> None:
    assert make_local.stdout is not None
    said = list(takewhile(lambda line: line != "Press Ctrl-C to stop. The function's log:\n", make_local.stdout))
    (page,) = (line.split()[1] for line in said if line.startswith("Ready. http://"))
    assert all(fault in "".join(said) for fault in BEFORE | AFTER)
    pasted = "".join(line.removeprefix("    ") for line in said if line.startswith("    "))
    assert max(map(len, pasted.splitlines())) <= 80
    ran = subprocess.run(
        ["bash", "-ec", pasted],
        cwd=ROOT,
        env={**MAKE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.startswith("1 on the queue.\n"), ran.stderr
    until(lambda: len(ConnectControl(page).sent) == 3, "all replies are sent")
    assert re.fullmatch(r"\d\d:\d\d:\d\d  draft_made  .*\n", next(filter(str.strip, make_local.stdout)))
    os.killpg(make_local.pid, signal.SIGINT)
    assert make_local.stdout.read().endswith("Stopped.\n")
