"""What went wrong between this machine and AWS, and what to do about it: for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name
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


BAD_CREDENTIALS = {
    *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClientException"),
    *("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure", "InvalidSecurity"),
}


QUEUE_GONE = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}


PASSING = {"RequestThrottled", "Throttling", "ThrottlingException", "ServiceUnavailable", "InternalFailure"}


TOO_MANY_QUERIES = "LimitExceededException"


IN_FLIGHT_LIMIT = "OverLimit"


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


_NAMED_BY_THE_STACK = {
    "StartQuery": "a log group",
    "GetFunctionConcurrency": "a function",
    "GetFunctionConfiguration": "a function",
    "GetEventSourceMapping": "an event source mapping",
    "UpdateEventSourceMapping": "an event source mapping",
}


_NAMES = {
    "lambda": "Lambda",
    "connect": "Connect",
    "sns": "SNS",
    "logs": "CloudWatch",
    "cloudwatch": "CloudWatch",
    "sqs": "SQS",
}


_SERVER_ERROR = 500


LOG_IN = "Log in again (aws sso login), or set AWS_PROFILE, or name a profile with --profile."


def explain(error: BotoCoreError | ClientError, account: Account) -> str:  # noqa: PLR0911 - one answer for each cause
    """A sentence or two about a failed call. Nothing that the call held is in it."""
    if isinstance(error, ClientError):
        return _refusal(error, account)
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return f"There are no AWS credentials. {LOG_IN}"
        case ProfileNotFound():
            return f"{error}. The profiles are in ~/.aws/config; `aws configure list-profiles` names them."
        case NoRegionError():
            return "No AWS Region is set. Name the stack's with --region, or set AWS_REGION."
        case SSOError() | UnauthorizedSSOTokenError() | TokenRetrievalError() | CredentialRetrievalError():
            return f"The AWS credentials cannot be had or are over ({type(error).__name__}). {LOG_IN}"
        case EndpointConnectionError():
            return f"{error} Check the Region (--region), the network, and --endpoint-url or AWS_ENDPOINT_URL."
        case ConnectionError() | HTTPClientError():
            return f"AWS did not answer ({type(error).__name__}). Check the network, and run the command again."
        case ParamValidationError():  # whose text quotes what was given
            return "AWS takes no such value of an option or in a file (ParamValidationError). Check both."
    return f"{type(error).__name__}: {error}"


def is_transient(error: BotoCoreError | ClientError) -> bool:
    """Whether the same command may do better in a while, with nothing changed."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= _SERVER_ERROR or error.response["Error"].get("Code") in PASSING | {
        IN_FLIGHT_LIMIT,
        TOO_MANY_QUERIES,
    }


def permission(operation: str) -> str:
    """The IAM action for an operation; a batch is allowed by the action for one.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
    """
    return f"{_SERVICES.get(operation, 'sqs')}:{operation.removesuffix('Batch')}"


def _refusal(error: ClientError, account: Account) -> str:  # noqa: PLR0911 - one answer for each cause
    answer = error.response["Error"]
    code, operation = answer.get("Code", ""), error.operation_name
    where = f"in the Region {account.session.region_name}"
    if code in NOT_ALLOWED:
        return (
            f"You are not allowed to {permission(operation)} {where}. Have your administrator allow it, "
            "or use another profile (--profile)."
        )
    if code in BAD_CREDENTIALS:
        return f"AWS does not take these credentials ({code}). {LOG_IN}"
    if operation == "DescribeStacks" and code == "ValidationError":
        return (
            f"There is no stack {account.stack} {where}, in the account of these credentials. "
            "Name the Region with --region, the profile with --profile, or the stack with --stack."
        )
    if code in QUEUE_GONE and account.given_queues:
        return f"One of the queues does not exist {where}. Check --queue-url and --dead-letter-queue-url."
    if code in QUEUE_GONE:
        return (
            f"The stack {account.stack} {where} names a queue that does not exist: somebody has deleted it by hand. "
            "Deploy the stack again; what was on the queue is lost."
        )
    if code == IN_FLIGHT_LIMIT:
        return "SQS lets 120,000 messages of a queue be received at once, and so many are. Wait, and run it again."
    if code == "ResourceNotFoundException" and operation in _NAMED_BY_THE_STACK:
        what = _NAMED_BY_THE_STACK[operation]
        return f"The stack {account.stack} {where} names {what} that does not exist: somebody has deleted it by hand."
    if operation == "StartQuery" and code == TOO_MANY_QUERIES:
        return "CloudWatch lets a number of log queries run at once, and so many do. Wait, and run it again."
    return _other_refusal(error, where)


def _other_refusal(error: ClientError, where: str) -> str:
    answer, operation = error.response["Error"], error.operation_name
    code, text = answer.get("Code", ""), answer.get("Message", "")
    if code.isdecimal() and not is_transient(error):  # botocore found no error code of AWS's in the answer
        return f"What answers at this address does not know {operation} ({code}). Is it AWS? See --endpoint-url."
    if is_transient(error):
        service = _NAMES.get(permission(operation).partition(":")[0], "AWS")
        return f"{service} is busy or out of order ({code} to {operation}). Run the command again in a while."
    return f"AWS refused {operation} {where}: {code}: {text}"
