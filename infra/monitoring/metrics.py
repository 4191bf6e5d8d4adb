"""Every metric that alarms and dashboard read, by what it counts.

SQS publishes all metrics of a queue that has messages, zeros as well. The function's own metrics exist only where there
was something to count, and CloudWatch does not document that FILL makes zeros of a metric without any data. So no maths
here needs a metric of the function's where it counts nothing: "none was sent" is read from the queue's deletes.
"""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import IMetric, MathExpression, Metric
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_sqs import IQueue

from infra.function import NAMESPACE


@dataclass(frozen=True)
class Metrics:
    """The metrics of one stack.

    Attributes:
        service: The dimension of those that the function writes: the stack's name.
        queue: Where replies wait.
        dead_letters: Where those wait that cannot be sent.
        function: Sends them.
    """

    service: str
    queue: IQueue
    dead_letters: IQueue
    function: IFunction

    def of_function(self, name: str, minutes: int, statistic: str = "Sum") -> Metric:
        """One that the function writes into its log (handler/observability.py).

        Raises:
            ValueError: It has another dimension as well, so that CloudWatch would find nothing under this one.
        """
        if name == "RepliesDeadLettered":
            raise ValueError(f"{name} is written by reason: search for it, as the dashboard does")
        return Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": self.service},
            period=Duration.minutes(minutes),
            statistic=statistic,
        )

    def errors(self, minutes: int) -> Metric:
        """Invocations that failed, by when they began."""
        return self.function.metric_errors(period=Duration.minutes(minutes), statistic="Sum")

    def throttles(self, minutes: int) -> Metric:
        """Invocations that Lambda refused, since the account's concurrency is used up; they are not errors."""
        return self.function.metric_throttles(period=Duration.minutes(minutes), statistic="Sum")

    def letters(self, minutes: int) -> Metric:
        """Dead letters that can be received: while somebody looks at them they cannot."""
        return self.dead_letters.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(minutes), statistic="Maximum"
        )

    def all_letters(self, minutes: int) -> MathExpression:
        """Dead letters, those that somebody looks at among them."""
        period = Duration.minutes(minutes)
        return maths(
            "visible + held",
            minutes,
            visible=self.dead_letters.metric_approximate_number_of_messages_visible(period=period, statistic="Average"),
            held=self.dead_letters.metric_approximate_number_of_messages_not_visible(
                period=period, statistic="Average"
            ),
        )

    def letter_age(self, minutes: int) -> Metric:
        """Seconds that the oldest dead letter has waited, of those received no more than twice."""
        return self.dead_letters.metric_approximate_age_of_oldest_message(
            period=Duration.minutes(minutes), statistic="Maximum"
        )

    def waiting(self, minutes: int, statistic: str = "Minimum") -> MathExpression:
        """Replies that are not sent yet: they can be received, are being tried, or wait for their backoff."""
        period = Duration.minutes(minutes)
        return maths(
            "visible + hidden",
            minutes,
            visible=self.queue.metric_approximate_number_of_messages_visible(period=period, statistic=statistic),
            hidden=self.queue.metric_approximate_number_of_messages_not_visible(period=period, statistic=statistic),
        )

    def ready(self, minutes: int) -> Metric:
        """Replies that could be received at any moment of the period."""
        return self.queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(minutes), statistic="Minimum"
        )

    def done(self, minutes: int) -> Metric:
        """Replies that left the queue: sent, or taken by the dead-letter queue."""
        return self.queue.metric_number_of_messages_deleted(period=Duration.minutes(minutes), statistic="Sum")

    def of_quiet_groups(self, name: str, minutes: int) -> Metric:
        """What SQS counts of the groups that take no more than their share (fair queues, MessageGroupId).

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        """
        return self.queue.metric(f"{name}InQuietGroups", period=Duration.minutes(minutes), statistic="Maximum")

    def reply_age(self, minutes: int) -> Metric:
        """Seconds that the oldest reply has waited, of those received no more than twice."""
        return self.queue.metric_approximate_age_of_oldest_message(
            period=Duration.minutes(minutes), statistic="Maximum"
        )


def maths(expression: str, minutes: int, **metrics: IMetric) -> MathExpression:
    """Metric maths, a value for each period."""
    return MathExpression(expression=expression, using_metrics=metrics, period=Duration.minutes(minutes))
