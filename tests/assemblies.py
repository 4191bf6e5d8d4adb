"""``python -m tests.assemblies``: synthesise what the tests deploy, in one process that imports CDK once.

Each synthesis in a process of its own takes some 5 s of processor time, most of them to import CDK. `make test` starts
this program first. A cloud assembly that is missing here is synthesised when a test needs it.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from aws_cdk import App

import app
from bench.faults import SEND_RATE
from bench.peer import PEER
from bench.peer.stack import synth as synth_peer
from local.assembly import cache_entry, cdk_context, fill
from local.cdk import REPLY_COURIER, CdkApp, settings_for
from local.outcomes import BUS
from tests.settings import RUNBOOK, SECOND_STACK, SHARED

ASSEMBLIES: list[tuple[CdkApp, Callable[[App], None], Mapping[str, str]]] = [
    (REPLY_COURIER, app.synth, SHARED),
    (REPLY_COURIER, app.synth, RUNBOOK),
    (REPLY_COURIER, app.synth, {"eventBusName": BUS}),  # make local
    (REPLY_COURIER, app.synth, SECOND_STACK),
    (REPLY_COURIER, app.synth, {"sendRate": str(SEND_RATE)}),
    (PEER, synth_peer, {"maxConcurrency": str(SEND_RATE)}),
    (PEER, synth_peer, {"maxConcurrency": str(SEND_RATE), "omitClientToken": "true"}),
    (REPLY_COURIER, app.synth, {"sendRate": "2"}),
    (PEER, synth_peer, {"maxConcurrency": "2"}),
]
"""The first ones are needed first."""


def main() -> None:
    """Lock all of them, so that no test begins with one of its own, then synthesise one after the other."""
    for variable in [name for name in os.environ if name.startswith(("AWS_", "CDK_"))]:
        del os.environ[variable]
    locked = []
    for cdk_app, synth, context in ASSEMBLIES:
        settings, lock = settings_for(context), ExitStack()
        locked.append((lock.enter_context(cache_entry(cdk_app, settings)), lock, synth, settings))
    for folder, lock, synth, settings in locked:
        with lock:
            if not folder.exists():
                fill(folder, lambda out: synth(App(outdir=str(out), context=cdk_context(settings))))  # noqa: B023 - called at once


if __name__ == "__main__":
    main()
