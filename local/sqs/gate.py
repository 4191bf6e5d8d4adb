"""Stands in front of moto and lets through only what SQS would accept."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from local.sqs.error import SqsError
from local.sqs.limits import ENTRY_CHECKS, REQUEST_CHECKS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class SqsGate:
    """A WSGI application that refuses requests beyond SQS's limits and passes all others to another application."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        service, _, operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")
        if service != "AmazonSQS" or operation not in REQUEST_CHECKS.keys() | ENTRY_CHECKS.keys():
            return self._application(environ, start_response)
        return self._checked(operation, environ)(environ, start_response)

    def _checked(self, operation: str, environ: "WSGIEnvironment") -> "WSGIApplication":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(body)
        request = json.loads(body)
        if (check := REQUEST_CHECKS.get(operation)) and (error := check(request)):
            return Response(error.body, error.status, error.headers)
        if check := ENTRY_CHECKS.get(operation):
            errors = [check(entry) for entry in request["Entries"]]
            if any(errors):
                return self._in_part(environ, request, errors)
        return self._application

    def _in_part(
        self, environ: "WSGIEnvironment", request: dict[str, Any], errors: list[SqsError | None]
    ) -> "WSGIApplication":
        """Pass on the entries without an error, if there are any, and add the others to the answer."""
        judged = list(zip(request["Entries"], errors, strict=True))
        failed = [error.of_entry(entry["Id"]) for entry, error in judged if error]
        sound = [entry for entry, error in judged if not error]
        if not sound:
            content = json.dumps({"Successful": [], "Failed": failed})
            return Response(content, content_type="application/x-amz-json-1.0")
        body = json.dumps({**request, "Entries": sound}).encode()
        environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        answer = Response.from_app(self._application, environ, buffered=True)
        if answer.status_code == HTTPStatus.OK:
            content = json.loads(answer.get_data())
            answer.set_data(json.dumps({**content, "Failed": [*content.get("Failed", []), *failed]}))
        return answer
