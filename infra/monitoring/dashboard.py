"""What a person looks at: a dashboard, top to bottom in the order of the questions, and saved queries of the log."""

from aws_cdk import Duration, Stack
from aws_cdk.aws_cloudwatch import (
    Dashboard,
    GraphWidget,
    IMetric,
    IWidget,
    MathExpression,
    SingleValueWidget,
    TextWidget,
    YAxisProps,
)
from aws_cdk.aws_logs import ILogGroup, QueryDefinition, QueryString
from constructs import Construct

from infra.function import MEMORY_MB, NAMESPACE
from infra.monitoring.metrics import Metrics
from infra.settings import Settings

WIDTH = 24
MINUTES = 5
OLDEST = "ApproximateAgeOfOldestMessage"
CAUSES = (
    *("AttemptsThrottled", "AccessDenied", "ActiveEmailsFull", "AttachmentsPending"),
    *("ConnectUnavailable", "ConnectTimedOut", "PayloadsUnavailable"),
)
"""The metrics that count what Connect or S3 did not do now (handler/observability.py)."""
PRICES = {"gb_second": 0.0000133334, "invocation": 0.0000002, "sqs_request": 0.0000004}
"""US dollars, us-east-1, arm64 (https://aws.amazon.com/lambda/pricing/, https://aws.amazon.com/sqs/pricing/)."""


class ReplyDashboard(Construct):
    """The dashboard, named like the stack and its Region: an account has each name once, in all Regions."""

    def __init__(self, scope: Construct, construct_id: str, *, metrics: Metrics, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        dashboard = Dashboard(
            self,
            "Dashboard",
            dashboard_name=f"{settings.stack_name}-{settings.instance['region']}",
            default_interval=Duration.hours(3),
        )
        for question, widgets in _rows(metrics, settings).items():
            dashboard.add_widgets(TextWidget(markdown=f"## {question}", width=WIDTH, height=1))
            dashboard.add_widgets(*widgets)


def _rows(metrics: Metrics, settings: Settings) -> dict[str, list[IWidget]]:
    own = metrics.of_function
    waiting = metrics.waiting(MINUTES, "Maximum")
    reasons = MathExpression(
        expression=f'SEARCH(\'{{{NAMESPACE},reason,service}} service="{metrics.service}" '
        f"MetricName=\"RepliesDeadLettered\"', 'Sum', {MINUTES * 60})",
        using_metrics={},
        label="",
        period=Duration.minutes(MINUTES),
    )
    return _guard(settings) | {
        "Are replies going out?": [
            _graph("Replies", own("RepliesSent", MINUTES), own("RepliesAlreadySent", MINUTES), metrics.done(MINUTES)),
            _value("Sent in three hours", own("RepliesSent", MINUTES), sum_up=True),
        ],
        "How long do they wait, and when will the backlog be gone?": [
            _graph("Replies waiting", waiting),
            _graph(
                "Seconds",
                metrics.reply_age(MINUTES),
                own("TimeToAccept", MINUTES, "p50"),
                own("TimeToAccept", MINUTES, "p99"),
            ),
            _value(
                f"Hours until the backlog is gone, at {settings.send_rate:g} a second",
                MathExpression(
                    expression=f"(visible + hidden) / {settings.send_rate * 3600:g}",
                    using_metrics=dict(waiting.using_metrics or {}),
                    label="hours",
                    period=Duration.minutes(MINUTES),
                ),
            ),
        ],
        "Does one message group hold up the others?": [
            _graph("Seconds, of the groups that take their share", metrics.of_quiet_groups(OLDEST, MINUTES)),
            _graph("Their replies waiting", metrics.of_quiet_groups("ApproximateNumberOfMessagesVisible", MINUTES)),
            _graph(
                "Groups that take more", metrics.queue.metric("ApproximateNumberOfNoisyGroups", statistic="Maximum")
            ),
        ],
        "What is refused, and why?": [
            _graph("Not now, by cause", *(own(cause, MINUTES) for cause in CAUSES)),
            _graph("To the dead-letter queue, by reason", reasons),
            _graph("Dead letters", metrics.letters(MINUTES)),
        ],
        "Is the function well?": [
            _graph("Invocations", metrics.errors(MINUTES), metrics.throttles(MINUTES)),
            _graph(
                "Milliseconds",
                metrics.function.metric_duration(statistic="p50"),
                metrics.function.metric_duration(statistic="Maximum"),
            ),
            _graph("At once", metrics.function.metric("ConcurrentExecutions", statistic="Maximum")),
            *([_graph("Outcomes lost", own("OutcomesLost", MINUTES))] if settings.event_bus_name else []),
        ],
        "What does it cost?": [_value("US dollars an hour, Lambda and SQS, at us-east-1's prices", _cost(metrics))],
    }


def _guard(settings: Settings) -> dict[str, list[IWidget]]:
    if not settings.allowed_recipients:
        return {}
    allowed = ", ".join(f"`{pattern}`" for pattern in settings.allowed_recipients)
    text = f"Replies go to {allowed} alone; others are dead-lettered as `RecipientNotAllowed`."
    return {"Not for production": [TextWidget(markdown=text, width=WIDTH, height=2)]}


def _cost(metrics: Metrics) -> MathExpression:
    hour = Duration.hours(1)
    # A receive, a delete and the producer's send; batches make it less.
    requests = 3 * PRICES["sqs_request"]
    second = MEMORY_MB / 1024 * PRICES["gb_second"]
    return MathExpression(
        expression=f"duration / 1000 * {second:.10f} + invocations * {PRICES['invocation']:.10f} + "
        f"deleted * {requests:.10f}",
        using_metrics={
            "duration": metrics.function.metric_duration(statistic="Sum", period=hour),
            "invocations": metrics.function.metric_invocations(statistic="Sum", period=hour),
            "deleted": metrics.queue.metric_number_of_messages_deleted(statistic="Sum", period=hour),
        },
        label="USD",
        period=hour,
    )


def _graph(title: str, *metrics: IMetric) -> GraphWidget:
    return GraphWidget(title=title, left=[*metrics], left_y_axis=YAxisProps(min=0), width=WIDTH // 3, height=6)


def _value(title: str, metric: IMetric, *, sum_up: bool = False) -> SingleValueWidget:
    return SingleValueWidget(title=title, metrics=[metric], set_period_to_time_range=sum_up, width=WIDTH // 3, height=6)


def _queries() -> dict[str, QueryString]:
    """For each name, a query of CloudWatch Logs Insights."""
    return {
        "One reply's story": QueryString(
            fields=["@timestamp", "message", "cause", "reason", "receive_count", "contact_id", "connect_request_id"],
            filter_statements=[
                (
                    'client_token = "PUT THE TOKEN HERE" or message_id = "OR THE MESSAGE ID HERE" '
                    'or contact_id = "OR THE CONTACT ID HERE"'
                )
            ],
            sort="@timestamp asc",
            limit=1000,
        ),
        "Refusals by reason": QueryString(
            filter_statements=['message = "reply_dead_lettered"'],
            stats_statements=["count(*) as replies by reason"],
            sort="replies desc",
            limit=1000,
        ),
        "Slowest replies": QueryString(
            fields=["@timestamp", "client_token", "seconds_since_enqueued", "receive_count"],
            filter_statements=['message = "reply_sent"'],
            sort="seconds_since_enqueued desc",
            limit=1000,
        ),
    }


class Queries(Construct):
    """Saved queries of the function's log, in a folder named like the stack."""

    def __init__(self, scope: Construct, construct_id: str, *, log_group: ILogGroup) -> None:
        super().__init__(scope, construct_id)
        for name, query in _queries().items():
            QueryDefinition(
                self,
                "".join(filter(str.isalnum, name)),
                query_definition_name=f"{Stack.of(self).stack_name}/{name}",
                log_groups=[log_group],
                query_string=query,
            )
