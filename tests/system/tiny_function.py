"""A function that does what its event tells it; the tests deploy it to local AWS."""

import json
import os
import signal
import sys
import time
from typing import Any

import boto3

PACKAGES = boto3.__file__


def handle(event: dict[str, Any], context: Any) -> object:
    if "Records" in event:
        return handle_batch(event["Records"])
    return act(event["do"], event, context)


def handle_batch(records: list[dict[str, Any]]) -> object:
    """Each record's body is an action; all are carried out, the last one that answers is the response."""
    say(json.dumps({"records": records, "at": time.monotonic()}))
    response: object = {"batchItemFailures": []}
    for record in records:
        action = json.loads(record["body"])
        if action["do"] == "report":
            response["batchItemFailures"].append({"itemIdentifier": record["messageId"]})  # type: ignore[index]  # a dict
        elif action["do"] != "nothing":
            response = act(action["do"], action, None)
    say(json.dumps({"finished": [record["messageId"] for record in records], "at": time.monotonic()}))
    return response


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def act(action: str, event: dict[str, Any], context: Any) -> object:
    match action:
        case "answer":
            return event["value"]
        case "raise":
            raise ValueError("told to")
        case "exit":
            sys.stdout.flush()
            os._exit(3)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            say("hanging")
            time.sleep(600)
        case "wait":
            time.sleep(event["seconds"])
        case "print":
            say(event["text"])
            sys.stderr.write(event["text"] + "\n")
        case "describe":
            return {
                "pid": os.getpid(),
                "packages": PACKAGES,
                "path": sys.path,
                "environment": dict(os.environ),
                "encoding": sys.stdout.encoding,
                "deadline_in_ms": context.get_remaining_time_in_millis(),
                "function_arn": context.invoked_function_arn,
            }
    return {}
