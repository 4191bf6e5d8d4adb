"""Every metric that the alarms and the dashboard read.

SQS publishes all metrics of a queue that holds messages, zeros included. The function publishes a metric only when it
has something to count, and CloudWatch doesn't document that FILL turns a metric without any data into zeros. So no
expression here needs a function metric that counts nothing: "none was sent" comes from the queue's deletions.
"""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import IMetric, MathExpression, Metric
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_sqs import IQueue

from infra.function import NAMESPACE


@dataclass(frozen=True)
class Metrics:
    """The metrics of one deployment; each method takes the period in minutes.

    Attributes:
        service: The value of the dimension `service` in the function's own metrics.
        queue: The queue of replies.
        dead_letters: The dead-letter queue.
        function: The function that sends the replies.
        instance_id: The Amazon Connect instance that it sends them from.
    """

    service: str
    queue: IQueue
    dead_letters: IQueue
    function: IFunction
    instance_id: str

    def of_function(self, name: str, minutes: int, statistic: str = "Sum") -> Metric:
        """Return a metric that the function writes into its log (handler/observability.py).

        Raises:
            ValueError: The metric has a second dimension, so CloudWatch would find nothing under `service` alone.
        """
        if name == "RepliesDeadLettered":
            raise ValueError(f"{name} also has the dimension reason: search for it, as the dashboard does")
        return Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": self.service},
            period=Duration.minutes(minutes),
            statistic=statistic,
        )

    def errors(self, minutes: int) -> Metric:
        """Count the invocations that failed, by their start time."""
        return self.function.metric_errors(period=Duration.minutes(minutes), statistic="Sum")

    def throttles(self, minutes: int) -> Metric:
        """Count the invocations that Lambda refused for lack of concurrency; Lambda doesn't count them as errors."""
        return self.function.metric_throttles(period=Duration.minutes(minutes), statistic="Sum")

    def active_emails(self, minutes: int) -> dict[str, IMetric]:
        """Return the percentage of the instance's quota of active emails, by the metric group's name.

        Connect publishes one of the two: copies of AWS's page on Connect's metrics differ in the name.
        https://docs.aws.amazon.com/connect/latest/adminguide/monitoring-cloudwatch.html
        """
        return {
            group.lower(): Metric(
                namespace="AWS/Connect",
                metric_name="ConcurrentEmailsPercentage",
                dimensions_map={"InstanceId": self.instance_id, "MetricGroup": group},
                period=Duration.minutes(minutes),
                statistic="Maximum",
            )
            for group in ("Email", "Emails")
        }

    def visible_dead_letters(self, minutes: int) -> Metric:
        """Count the dead letters that can be received: while an operator lists them, they can't."""
        return self.dead_letters.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(minutes), statistic="Maximum"
        )

    def all_dead_letters(self, minutes: int) -> MathExpression:
        """Count all dead letters, including those that an operator has received."""
        period = Duration.minutes(minutes)
        return expression(
            "visible + held",
            minutes,
            visible=self.dead_letters.metric_approximate_number_of_messages_visible(period=period, statistic="Average"),
            held=self.dead_letters.metric_approximate_number_of_messages_not_visible(
                period=period, statistic="Average"
            ),
        )

    def dead_letter_age(self, minutes: int) -> Metric:
        """Return the age in seconds of the oldest dead letter that was received at most twice."""
        return self.dead_letters.metric_approximate_age_of_oldest_message(
            period=Duration.minutes(minutes), statistic="Maximum"
        )

    def waiting(self, minutes: int, statistic: str = "Minimum") -> MathExpression:
        """Count the replies that aren't sent yet, including those in an attempt or in their backoff."""
        period = Duration.minutes(minutes)
        return expression(
            "visible + hidden",
            minutes,
            visible=self.queue.metric_approximate_number_of_messages_visible(period=period, statistic=statistic),
            hidden=self.queue.metric_approximate_number_of_messages_not_visible(period=period, statistic=statistic),
        )

    def ready(self, minutes: int) -> Metric:
        """Count the replies that could be received throughout the period."""
        return self.queue.metric_approximate_number_of_messages_visible(
            period=Duration.minutes(minutes), statistic="Minimum"
        )

    def deleted(self, minutes: int) -> Metric:
        """Count the replies that left the queue: sent, or moved to the dead-letter queue."""
        return self.queue.metric_number_of_messages_deleted(period=Duration.minutes(minutes), statistic="Sum")

    def of_quiet_groups(self, name: str, minutes: int) -> Metric:
        """Return a metric of the message groups that take no more than their share of a fair queue.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        """
        return self.queue.metric(f"{name}InQuietGroups", period=Duration.minutes(minutes), statistic="Maximum")

    def reply_age(self, minutes: int) -> Metric:
        """Return the age in seconds of the oldest reply that was received at most twice."""
        return self.queue.metric_approximate_age_of_oldest_message(
            period=Duration.minutes(minutes), statistic="Maximum"
        )


def expression(text: str, minutes: int, **metrics: IMetric) -> MathExpression:
    """Return a metric math expression with one value for each period."""
    return MathExpression(expression=text, using_metrics=metrics, period=Duration.minutes(minutes))


def decimal(number: float) -> str:
    """Write a number for an expression or a text, without an exponent: CloudWatch doesn't document exponents."""
    return f"{number:.6f}".rstrip("0").rstrip(".")
