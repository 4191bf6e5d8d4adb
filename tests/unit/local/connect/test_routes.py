"""URLs that nothing answers."""

from local.connect.routes import answer_to
from tests.unit.local.connect.lab import Lab, outcome


def test_what_is_not_emulated_is_answered_so(lab: Lab) -> None:
    assert outcome(answer_to(lab.connect, "POST", "/contact/email", b"{}")) == (404, "UnknownOperationException")
    assert answer_to(lab.connect, "POST", "/_local/nothing", b"{}").status == 404
    assert answer_to(lab.connect, "GET", "/nothing", b"").status == 404
    assert answer_to(lab.connect, "GET", "/_local/", b"").status == 404
