"""Routes HTTP requests: to the operations of Connect, to control calls and to the page."""

import json
from urllib.parse import parse_qs, unquote, urlsplit

from local.connect.answer import error_answer
from local.connect.control import control_answer
from local.connect.page import page_answer
from local.connect.service import EmulatedConnect
from local.http_server import Answer


def answer_to(  # noqa: PLR0911 - one for each route
    connect: EmulatedConnect, method: str, url: str, body: bytes
) -> Answer:
    """Answer an HTTP request."""
    parts = urlsplit(url)
    path = [unquote(part) for part in parts.path.strip("/").split("/")]
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    match method, path:
        case "PUT", ["contact", "outbound-email"]:
            return connect.call("StartOutboundEmailContact", body)
        case "PUT", ["contact", "create-contact"]:
            return connect.call("CreateContact", body)
        case "POST", ["contact", "stop"]:
            return connect.call("StopContact", body)
        case "GET", ["contacts", instance_id, contact_id]:
            request = {"InstanceId": instance_id, "ContactId": contact_id}
            return connect.call("DescribeContact", json.dumps(request).encode())
        case "GET", ["instance", instance_id]:
            return connect.describe_instance(instance_id)
        case "POST", ["search-email-addresses"]:
            return connect.search_email_addresses(body)
        case _, ["_local", *call] if call:
            return control_answer(connect, method, call, query, body)
        case "GET", _:
            return page_answer(connect, path, query.get("open", ""))
        case _:
            return error_answer(404, "UnknownOperationException", f"{method} {parts.path} is not emulated.")
