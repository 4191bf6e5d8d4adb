"""The calls, one after the other: which comes next depends on the answers so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from courier.doctor.send_test.answer import Answer, Step, accepted, lost, refused, unreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_connect import ConnectClient

UNKNOWN_SENDER = {"EmailAddress": "nobody@reply-courier.invalid"}
"""No instance has it: the domain .invalid is kept free (RFC 2606)."""
PACE_SECONDS = 0.6
"""Between two calls: fewer than the 2 a second that a new account may make."""
THROTTLED_SECONDS = 3
PATIENCE = 10
"""So often a throttled call is made again: the function may be using the quota."""
THROTTLED = 429
NOT_ALLOWED = {401, 403}
SUBJECT = "reply-courier send test"


def email(contact_id: str, address: str, step: Step, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The request for a test email, by the step that sends it."""
    return {
        "ContactId": contact_id,
        "DestinationEmailAddress": {"EmailAddress": address},
        "EmailMessage": {
            "MessageSourceType": "RAW",
            "RawMessage": {
                "Subject": f"{SUBJECT}: {step.replace('_', ' ')}",
                "Body": "This email was asked for with `courier doctor --send-test`. You need not do anything.",
                "ContentType": "text/plain",
            },
        },
        **more,
    }


@dataclass
class Trial:
    """Makes the calls.

    Attributes:
        connect: Repeats no call by itself.
        instance_id: Of the stack.
        new_id: Returns an id that nobody has used.
        sleep: Waits a number of seconds.
        answers: Those so far.
    """

    connect: ConnectClient
    instance_id: str
    new_id: Callable[[], str]
    sleep: Callable[[float], None]
    answers: dict[Step, Answer] = field(default_factory=dict)

    def run(self, contact_id: str, address: str) -> Iterator[tuple[Step, Answer]]:
        """Yield each call's answer as it comes.

        Raises:
            botocore.exceptions.ClientError: The caller may not send.
        """
        token = self.new_id()
        bad = email(contact_id, address, Step.BAD_BODY, FromEmailAddress=UNKNOWN_SENDER)
        mended = email(contact_id, address, Step.MENDED_BODY)
        sent: tuple[Mapping[str, Any], str] | None = None
        yield self._call(Step.BAD_BODY, bad, token)
        if self.answers[Step.BAD_BODY].is_accepted:
            sent = (bad, token)
        elif self.answers[Step.BAD_BODY].is_refused:
            yield self._call(Step.MENDED_BODY, mended, token)
            if self.answers[Step.MENDED_BODY].is_refused:  # because the refusal is remembered, or the contact is bad?
                token = self.new_id()
                yield self._call(Step.MENDED_BODY_NEW_TOKEN, mended, token)
            if self.answers[list(self.answers)[-1]].is_accepted:
                sent = (mended, token)
        if sent:
            yield self._call(Step.REPEAT, *sent)
            again = email(contact_id, address, Step.SPENT_CONTACT)
            yield self._call(Step.SPENT_CONTACT, again, self.new_id())
        nobodys = email(self.new_id(), address, Step.WRONG_CONTACT)
        yield self._call(Step.WRONG_CONTACT, nobodys, self.new_id())

    def _call(self, step: Step, request: Mapping[str, Any], token: str) -> tuple[Step, Answer]:
        for _ in range(PATIENCE):
            if self.answers:
                self.sleep(PACE_SECONDS)
            answer = self.answers[step] = self._asked(request, token)
            if answer.status != THROTTLED:
                break
            self.sleep(THROTTLED_SECONDS)
        return step, self.answers[step]

    def _asked(self, request: Mapping[str, Any], token: str) -> Answer:
        try:
            answer = self.connect.start_outbound_email_contact(
                InstanceId=self.instance_id, ClientToken=token, **request
            )
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in NOT_ALLOWED:
                raise
            return refused(error)
        except BotoCoreError as error:
            return lost(error)
        if "ContactId" not in answer:  # botocore reads a 200 whose body is not JSON as an empty answer
            return unreadable()
        return accepted(answer["ContactId"], request["ContactId"])
