"""What the documentation of the two operations demands beyond the service model."""

from typing import Any

from local.connect.instance.validation import checked, refuse_if, violation

# The model says 50, the text beside it 49: "limited to 50 total addresses", of which the destination is one.
# https://docs.aws.amazon.com/connect/latest/APIReference/API_OutboundAdditionalRecipients.html
_MOST_CC = 49
_CONTENT_TYPES = ("text/plain", "text/html")
_PART_OF_SOURCE = {"RAW": "RawMessage", "TEMPLATE": "TemplatedMessageConfig"}
_WEEK_MINUTES = 7 * 24 * 60


def checked_sending(request: object) -> dict[str, Any]:
    """Return a StartOutboundEmailContact request if Connect would accept it.

    Raises:
        Refused: it would not.
    """
    valid = checked("StartOutboundEmailContact", request)
    message = valid["EmailMessage"]
    violations = []
    cc = (valid.get("AdditionalRecipients") or {}).get("CcEmailAddresses") or []
    if len(cc) > _MOST_CC:
        constraint = f"Member must have length less than or equal to {_MOST_CC}"
        violations.append(violation(cc, "additionalRecipients.ccEmailAddresses", constraint))
    part = _PART_OF_SOURCE[message["MessageSourceType"]]
    if message.get(part) is None:
        violations.append(violation(None, f"emailMessage.{part[0].lower()}{part[1:]}", "Member must not be null"))
    content_type = (message.get("RawMessage") or {}).get("ContentType", _CONTENT_TYPES[0])
    if content_type not in _CONTENT_TYPES:
        constraint = f"Member must satisfy enum value set: [{', '.join(_CONTENT_TYPES)}]"
        violations.append(violation(content_type, "emailMessage.rawMessage.contentType", constraint))
    refuse_if(violations)
    return valid


def checked_creation(request: object) -> dict[str, Any]:
    """Return a CreateContact request if Connect would create an email contact from it.

    Raises:
        Refused: it would not, or the contact is not an email: this Connect supports no others.
    """
    valid = checked("CreateContact", request)
    violations = []
    for name, known in (("Channel", ("EMAIL",)), ("InitiationMethod", ("OUTBOUND", "AGENT_REPLY", "FLOW"))):
        if valid[name] not in known:
            constraint = f"Member must satisfy enum value set: [{', '.join(known)}]"
            violations.append(violation(valid[name], name[0].lower() + name[1:], constraint))
    if valid["InitiationMethod"] != "FLOW" and valid.get("UserInfo") is None:
        violations.append(violation(None, "userInfo", "Member must not be null"))
    minutes = valid.get("ExpiryDurationInMinutes")
    if minutes is not None and not 1 <= minutes <= _WEEK_MINUTES:
        violations.append(
            violation(minutes, "expiryDurationInMinutes", f"Member must be between 1 and {_WEEK_MINUTES}")
        )
    refuse_if(violations)
    return valid
