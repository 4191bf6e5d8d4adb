"""Why a call to AWS failed, and what the operator can do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

if TYPE_CHECKING:
    from courier.aws import Account

NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
_BAD_CREDENTIALS = {
    *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException"),
    *("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "InvalidSecurity"),
}
_QUEUE_MISSING = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}
_TOO_MANY_QUERIES = "LimitExceededException"
_TOO_MANY_IN_FLIGHT = "OverLimit"
_TRANSIENT = {
    *("RequestThrottled", "Throttling", "ThrottlingException", "ServiceUnavailable", "InternalFailure"),
    *(_TOO_MANY_IN_FLIGHT, _TOO_MANY_QUERIES),
}
_SERVICES = {
    "DescribeAlarms": "cloudwatch",
    "DescribeInstance": "connect",
    "DescribeStacks": "cloudformation",
    "GetAccountSettings": "lambda",
    "GetFunctionConcurrency": "lambda",
    "ListAWSDefaultServiceQuotas": "servicequotas",
    "ListServiceQuotas": "servicequotas",
    "ListStackResources": "cloudformation",
    "ListSubscriptionsByTopic": "sns",
    "SearchEmailAddresses": "connect",
    "StartOutboundEmailContact": "connect",
    "GetMetricStatistics": "cloudwatch",
    "GetCallerIdentity": "sts",
    "GetEventSourceMapping": "lambda",
    "GetFunctionConfiguration": "lambda",
    "GetQueryResults": "logs",
    "StartQuery": "logs",
    "UpdateEventSourceMapping": "lambda",
}
"""The IAM prefix of each operation that is not SQS's."""
_NAMED_BY_THE_STACK = {
    "StartQuery": "a log group",
    "GetFunctionConcurrency": "a function",
    "GetFunctionConfiguration": "a function",
    "GetEventSourceMapping": "an event source mapping",
    "UpdateEventSourceMapping": "an event source mapping",
}
_SERVICE_NAMES = {
    "lambda": "Lambda",
    "connect": "Connect",
    "sns": "SNS",
    "logs": "CloudWatch",
    "cloudwatch": "CloudWatch",
    "sqs": "SQS",
}
_SERVER_ERROR = 500

LOG_IN = "Log in again (aws sso login), set AWS_PROFILE, or name a profile with --profile."
RUN_AGAIN = "Run the command again in a while."


class Explanation(NamedTuple):
    """A failed call in words. Both parts are sentences, and neither quotes the request."""

    problem: str
    next_step: str

    def __str__(self) -> str:
        """Both parts, for a person."""
        return f"{self.problem} {self.next_step}".strip()


def explain(error: BotoCoreError | ClientError, account: Account) -> Explanation:  # noqa: PLR0911 - one for each cause
    """Explain a failed call."""
    if isinstance(error, ClientError):
        return _explain_answer(error, account)
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return Explanation("There are no AWS credentials.", LOG_IN)
        case ProfileNotFound():
            return Explanation(f"{error}.", "`aws configure list-profiles` lists the profiles in ~/.aws/config.")
        case NoRegionError():
            return Explanation("No AWS Region is set.", "Name the stack's with --region, or set AWS_REGION.")
        case SSOError() | UnauthorizedSSOTokenError() | TokenRetrievalError() | CredentialRetrievalError():
            return Explanation(f"The AWS credentials are missing or have expired ({type(error).__name__}).", LOG_IN)
        case EndpointConnectionError():
            next_step = "Check the Region (--region), the network, and --endpoint-url or AWS_ENDPOINT_URL."
            return Explanation(str(error), next_step)
        case ConnectionError() | HTTPClientError():
            problem = f"AWS did not answer ({type(error).__name__})."
            return Explanation(problem, "Check the network, and run the command again.")
        case ParamValidationError():  # its text quotes the value
            problem = "AWS does not accept a value of an option or in a file (ParamValidationError)."
            return Explanation(problem, "Check both.")
    return Explanation(f"{type(error).__name__}: {error}", "")


def is_transient(error: BotoCoreError | ClientError) -> bool:
    """Whether the same command may succeed later, although nobody changes anything."""
    if not isinstance(error, ClientError):  # a time-out, or a connection that broke; but not a wrong address
        return isinstance(error, ConnectTimeoutError | HTTPClientError)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or error.response["Error"].get("Code") in _TRANSIENT


def permission(operation: str) -> str:
    """The IAM action for an operation. The action for one message allows the batch operation, too.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    return f"{_SERVICES.get(operation, 'sqs')}:{operation.removesuffix('Batch')}"


def _explain_answer(error: ClientError, account: Account) -> Explanation:  # noqa: PLR0911 - one for each cause
    code, operation = error.response["Error"].get("Code", ""), error.operation_name
    where = f"in the Region {account.session.region_name}"
    if code in NOT_ALLOWED:
        problem = f"You are not allowed to {permission(operation)} {where}."
        return Explanation(problem, "Ask your administrator for it, or use another profile (--profile).")
    if code in _BAD_CREDENTIALS:
        return Explanation(f"AWS does not accept these credentials ({code}).", LOG_IN)
    if operation == "DescribeStacks" and code == "ValidationError":
        return Explanation(
            f"There is no stack {account.stack} {where}, in the account of these credentials.",
            "Name the Region with --region, the profile with --profile, or the stack with --stack.",
        )
    if code in _QUEUE_MISSING and account.given_queues:
        return Explanation(f"A queue does not exist {where}.", "Check --queue-url and --dead-letter-queue-url.")
    if code in _QUEUE_MISSING:
        return Explanation(
            f"The stack {account.stack} {where} names a queue that does not exist: someone deleted it by hand.",
            "Deploy the stack again. The messages that were on the queue are lost.",
        )
    if code == _TOO_MANY_IN_FLIGHT:
        return Explanation("The queue has 120,000 messages in flight, which is SQS's limit.", RUN_AGAIN)
    if code == "ResourceNotFoundException" and operation in _NAMED_BY_THE_STACK:
        what = _NAMED_BY_THE_STACK[operation]
        problem = f"The stack {account.stack} {where} names {what} that does not exist: someone deleted it by hand."
        return Explanation(problem, "Deploy the stack again.")
    if operation == "StartQuery" and code == _TOO_MANY_QUERIES:
        return Explanation("CloudWatch already runs as many log queries as it allows at once.", RUN_AGAIN)
    return _explain_other(error, where)


def _explain_other(error: ClientError, where: str) -> Explanation:
    answer, operation = error.response["Error"], error.operation_name
    code, text = answer.get("Code", ""), answer.get("Message", "")
    if is_transient(error):
        service = _SERVICE_NAMES.get(permission(operation).partition(":")[0], "AWS")
        return Explanation(f"{service} is unavailable ({operation} failed with {code}).", RUN_AGAIN)
    if code.isdecimal():  # botocore found no AWS error code in the answer
        problem = f"The server at this address does not know {operation} ({code})."
        return Explanation(problem, "Is it AWS? Check --endpoint-url.")
    return Explanation(f"AWS refused {operation} {where}: {code}: {text}", "")
