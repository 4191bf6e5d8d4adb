"""`courier doctor`."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from botocore.exceptions import ClientError

from courier.aws import Account
from courier.commands.options import SOME_NOT_DONE, Json, Yes
from courier.commands.send_test import send_test
from courier.doctor.clients import clients_of
from courier.doctor.examination import Examination
from courier.doctor.finding import Finding, Verdict
from courier.queues.letter_json import json_line
from courier.terminal import view
from courier.terminal.doctor_page import show_findings
from courier.terminal.errors import NOT_ALLOWED, explain


def doctor(
    context: typer.Context,
    *,
    test: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--send-test",
            metavar="CONTACT-ID ADDRESS",
            help="Instead, send a test email and see how Connect answers where AWS does not document it. The contact, "
            "a draft, is used up.",
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="The new file for a test's answers; or one named by the time.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Look whether all is well: stack, function, alarms, queues, quotas, instance. Says what to do where it is not.

    Exits with 0 only if everything is good; with 1 if something is bad, or is not known. A test exits with 0 only if
    all it asks for is settled.
    """
    account: Account = context.obj
    if account.given_queues:
        raise typer.BadParameter("doctor looks at a stack: name it with --stack, and leave the queues' URLs out")
    if to and not test:
        raise typer.BadParameter("--to is for --send-test")
    if test:
        send_test(account, *test, to, yes=yes, as_json=as_json)
        return
    _ask_for_the_stack(account)
    examination = Examination(account, clients_of(account), time.time(), lambda error: explain(error, account))
    found: list[Finding] = []
    _show(_kept(examination.findings(), found), as_json=as_json)
    if any(finding.verdict is not Verdict.GOOD for finding in found):
        raise typer.Exit(SOME_NOT_DONE)


def _ask_for_the_stack(account: Account) -> None:
    """See that there is a stack, and that AWS can be asked. Who may not ask for it learns so from the checks.

    Raises:
        botocore.exceptions.ClientError, BotoCoreError: There is not, or it cannot.
    """
    try:
        account.stack_status  # noqa: B018 - it asks
    except ClientError as refused:
        if refused.response["Error"].get("Code") not in NOT_ALLOWED:
            raise


def _kept(findings: Iterable[Finding], kept: list[Finding]) -> Iterator[Finding]:
    for finding in findings:
        kept.append(finding)
        yield finding


def _show(findings: Iterable[Finding], *, as_json: bool) -> None:
    if not as_json:
        show_findings(findings)
        return
    for finding in findings:
        view.data(json_line(finding.to_json()))
