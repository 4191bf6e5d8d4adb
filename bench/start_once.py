"""`python -I -S -B start_once.py FOLDER MODULE`: start a function once, as Lambda does, and print what it took as JSON.

Standard input has one event a line; the first one is the cold start's. The result: `start` (the module's import, in
seconds), `first` (the first event), `warm` (processor time of one later event) and `peak` (memory, in bytes).
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path


class Context:
    """The part of Lambda's context that the functions use."""

    function_name = "start"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:start"
    aws_request_id = "invocation"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


def main(folder: str, module: str) -> None:
    """Start the function, and invoke it with each event."""
    sys.path.insert(0, folder)
    out, sys.stdout = sys.stdout, sys.stderr  # the function prints its log
    began = time.perf_counter()
    handle = import_module(module).lambda_handler
    started = time.perf_counter()
    first, *others = map(json.loads, sys.stdin)
    before_first = time.perf_counter()
    handle(first, Context())
    after_first = time.perf_counter()
    spent = time.process_time()
    for event in others:
        handle(event, Context())
    warm = (time.process_time() - spent) / len(others)
    status = Path("/proc/self/status").read_text()  # getrusage would include the parent's peak
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    json.dump({"start": started - began, "first": after_first - before_first, "warm": warm, "peak": peak}, out)


main(*sys.argv[1:])
