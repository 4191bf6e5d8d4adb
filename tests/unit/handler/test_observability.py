"""What is counted of what Connect and S3 did not do."""

from handler.observability import CAUSE_METRICS
from handler.verdict import Cause


def test_every_cause_that_connect_or_s3_gives_has_a_metric_of_its_own() -> None:
    assert set(CAUSE_METRICS) == set(Cause) - {Cause.UNEXPECTED, Cause.DEAD_LETTER_QUEUE_UNAVAILABLE}
    assert len(set(CAUSE_METRICS.values())) == len(CAUSE_METRICS)
