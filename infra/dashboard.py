"""The dashboard, whose rows answer an operator's questions in order, and the saved queries of the function's log."""

from aws_cdk import Duration
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

from infra.function import NAMESPACE
from infra.metrics import Metrics, decimal
from infra.settings import Settings

WIDTH = 24
MINUTES = 5
OLDEST = "ApproximateAgeOfOldestMessage"
CAUSES = (
    *("AttemptsThrottled", "AccessDenied", "ActiveEmailsFull", "AttachmentsPending"),
    *("ConnectUnavailable", "ConnectTimedOut", "PayloadsUnavailable", "TableUnavailable"),
    *("DraftsHeld", "ContactsNotYetKnown", "UsersFull"),
)
"""The function's metrics of attempts that it will repeat (handler/observability.py)."""
DRAFTS = ("DraftsMade", "DraftsStopped", "DraftStopsFailed", "DraftsHeld")
"""The function's metrics of its drafts. `DraftsHeld` counts replies for which it made none, to spare the instance."""


class ReplyDashboard(Construct):
    """A dashboard with a row of widgets for each question.

    Attributes:
        dashboard: The dashboard; CloudFormation chooses its name.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, metrics: Metrics) -> None:
        super().__init__(scope, construct_id)
        self.dashboard = Dashboard(self, "Dashboard", default_interval=Duration.hours(3))
        for question, widgets in _rows(metrics, settings).items():
            self.dashboard.add_widgets(TextWidget(markdown=f"## {question}", width=WIDTH, height=1))
            self.dashboard.add_widgets(*widgets)


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
    return _warning(settings) | {
        "Are replies being sent?": [
            _graph(
                "Replies", own("RepliesSent", MINUTES), own("RepliesAlreadySent", MINUTES), metrics.deleted(MINUTES)
            ),
            _value("Sent in three hours", own("RepliesSent", MINUTES), sum_up=True),
        ],
        "How long do replies wait, and when will the backlog be sent?": [
            _graph("Replies waiting", waiting),
            _graph(
                "Seconds",
                metrics.reply_age(MINUTES),
                own("TimeToAccept", MINUTES, "p50"),
                own("TimeToAccept", MINUTES, "p99"),
            ),
            _value(
                f"Hours until the backlog is sent, at {decimal(settings.send_rate)} a second",
                MathExpression(
                    expression=f"(visible + hidden) / {decimal(settings.send_rate * 3600)}",
                    using_metrics=dict(waiting.using_metrics or {}),
                    label="hours",
                    period=Duration.minutes(MINUTES),
                ),
            ),
        ],
        "Does one message group delay the others?": [
            _graph("Seconds, for groups within their share", metrics.of_quiet_groups(OLDEST, MINUTES)),
            _graph("Replies waiting in them", metrics.of_quiet_groups("ApproximateNumberOfMessagesVisible", MINUTES)),
            _graph(
                "Groups above their share", metrics.queue.metric("ApproximateNumberOfNoisyGroups", statistic="Maximum")
            ),
        ],
        "Which replies fail, and why?": [
            _graph("Attempts to repeat, by cause", *(own(cause, MINUTES) for cause in CAUSES)),
            _graph("Dead-lettered, by reason", reasons),
            _graph("Dead letters", metrics.visible_dead_letters(MINUTES)),
        ],
        "Do drafts fill up the instance?": [
            _graph("Drafts", *(own(name, MINUTES) for name in DRAFTS)),
            _graph("Active emails, percent of the quota", *metrics.active_emails(MINUTES).values()),
        ],
        "Does the function work?": [
            _graph("Invocations", metrics.errors(MINUTES), metrics.throttles(MINUTES)),
            _graph(
                "Milliseconds",
                metrics.function.metric_duration(statistic="p50"),
                metrics.function.metric_duration(statistic="Maximum"),
            ),
            _graph("Concurrent executions", metrics.function.metric("ConcurrentExecutions", statistic="Maximum")),
            *([_graph("Outcomes lost", own("OutcomesLost", MINUTES))] if settings.event_bus_name else []),
        ],
    }


def _warning(settings: Settings) -> dict[str, list[IWidget]]:
    if not settings.allowed_recipients:
        return {}
    allowed = ", ".join(f"`{pattern}`" for pattern in settings.allowed_recipients)
    text = f"Only {allowed} can get replies. The function dead-letters others as `RecipientNotAllowed`."
    return {"Not for production": [TextWidget(markdown=text, width=WIDTH, height=2)]}


def _graph(title: str, *metrics: IMetric) -> GraphWidget:
    return GraphWidget(title=title, left=[*metrics], left_y_axis=YAxisProps(min=0), width=WIDTH // 3, height=6)


def _value(title: str, metric: IMetric, *, sum_up: bool = False) -> SingleValueWidget:
    return SingleValueWidget(title=title, metrics=[metric], set_period_to_time_range=sum_up, width=WIDTH // 3, height=6)


class Queries(Construct):
    """The saved queries of CloudWatch Logs Insights, in a folder of the console."""

    def __init__(self, scope: Construct, construct_id: str, *, folder: str, log_group: ILogGroup) -> None:
        super().__init__(scope, construct_id)
        for name, query in _queries().items():
            QueryDefinition(
                self,
                "".join(filter(str.isalnum, name)),
                query_definition_name=f"{folder}/{name}",
                log_groups=[log_group],
                query_string=query,
            )


def _queries() -> dict[str, QueryString]:
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
