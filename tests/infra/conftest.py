"""The stack, synthesised once for all tests. Only the process that needs CDK imports it, which takes seconds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.settings import read_settings

if TYPE_CHECKING:
    from aws_cdk import App

ARN = "arn:aws:connect:eu-central-1:111122223333:instance/11111111-2222-3333-4444-555555555555"

KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"

type Template = Mapping[str, Any]
type Synthesise = Callable[..., Template]


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of each resource of a kind, by logical id."""
    return {name: part["Properties"] for name, part in template["Resources"].items() if part["Type"] == kind}


def the_one(template: Template, kind: str) -> dict[str, Any]:
    """The properties of the only resource of a kind."""
    (properties,) = resources(template, kind).values()
    return properties


def referred(template: Template, output: str) -> str:
    """The logical id of the resource that an output is about."""
    value = template["Outputs"][output]["Value"]
    logical_id: str = value["Ref"] if "Ref" in value else value["Fn::GetAtt"][0]
    return logical_id


def the_mappings_arn(template: Template) -> dict[str, Any]:
    mapping = {"Ref": referred(template, "MappingId")}
    here = ":lambda:eu-central-1:111122223333:event-source-mapping:"
    return {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, here, mapping]]}


def bundle_stand_in(folder: Path) -> Path:
    """A folder for the function's code that holds next to nothing."""
    code = folder / "code"
    code.mkdir(parents=True, exist_ok=True)
    (code / "app.py").write_text("# stands for the bundle\n")
    return code


def compose(folder: Path, **context: object) -> App:
    """The app with the stack in it, as app.py composes it, but without the real bundle."""
    from aws_cdk import App

    from infra.stack import ReplyCourierStack

    app = App(outdir=str(folder / "cdk.out"))
    settings = read_settings({"instanceArn": ARN, **context})
    ReplyCourierStack(app, settings.stack_name, settings=settings, code=bundle_stand_in(folder))
    return app


@pytest.fixture(scope="session")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    def template(**context: object) -> Template:
        folder = tmp_path_factory.mktemp("synth")
        (stack,) = compose(folder, **context).synth().stacks
        parsed: Template = json.loads(Path(stack.template_full_path).read_text())
        return parsed

    return template


@pytest.fixture(scope="session")
def template(synthesise: Synthesise) -> Template:
    """What is deployed when only `instanceArn` is given."""
    return synthesise()
