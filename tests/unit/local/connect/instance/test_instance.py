"""Instance id, quota and capacity."""

from tests.unit.local.connect.lab import INSTANCE, Lab, outcome


def test_the_instance_may_be_named_by_its_arn_and_any_other_is_unknown(lab: Lab) -> None:
    assert lab.send("a", InstanceId=f"arn:aws:connect:eu-west-2:123456789012:instance/{INSTANCE}").status == 200
    assert outcome(lab.send("b", "u", InstanceId="another")) == (404, "ResourceNotFoundException")


def test_above_the_quota_requests_are_throttled_whatever_they_are_and_time_brings_it_back(lab: Lab) -> None:
    lab.control("PUT", "settings", {"rate": 2, "burst": 1})
    lab.send("a", "t")

    assert outcome(lab.send("b", "u")) == (429, "ThrottlingException")
    assert outcome(lab.send("a", "t")) == (429, "ThrottlingException")
    assert outcome(lab.send("", "")) == (429, "ThrottlingException")
    lab.now += 0.5
    assert lab.send("b", "u").status == 200


def test_refused_requests_use_the_quota_too(lab: Lab) -> None:
    lab.control("PUT", "settings", {"rate": 2, "burst": 1})

    assert outcome(lab.send("", "t"))[0] == 400
    assert outcome(lab.send("a", "t"))[0] == 429


def test_emails_above_the_capacity_are_refused_until_active_ones_end(lab: Lab) -> None:
    lab.control("PUT", "settings", {"capacity": 2, "active_seconds": 10})

    assert [outcome(lab.send(each, each))[0] for each in "abc"] == [200, 200, 402]
    assert outcome(lab.send("a", "a"))[0] == 200, "a repeat is no new email"
    lab.now += 10
    assert outcome(lab.send("c", "c"))[0] == 200


def test_by_default_no_email_counts_as_active(lab: Lab) -> None:
    lab.control("PUT", "settings", {"capacity": 1})

    assert [outcome(lab.send(each, each))[0] for each in "abc"] == [200, 200, 200]
