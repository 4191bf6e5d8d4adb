"""How single values of CDK context are read: each gives the value, or a ValueError if it has another form."""

import re
from collections.abc import Callable

from botocore.session import Session

INSTANCE_ARN = re.compile(
    r"arn:aws(-[a-z]+)*:connect:[a-z]{2}(-[a-z]+)+-\d:\d{12}"
    r":instance/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
MOST_IN_A_LIST = 50
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")  # float() takes 1_0 and other scripts' digits as well


def parts(instance_arn: str) -> dict[str, str]:
    """Give the `partition`, `region` and `account` of an ARN."""
    _, partition, _, region, account, _ = instance_arn.split(":")
    return {"partition": partition, "region": region, "account": account}


def of_an_instance(given: object) -> str:
    """Read an instance's ARN whose Region is one of its partition's."""
    arn = matching(INSTANCE_ARN)(given)
    instance = parts(arn)
    if instance["region"] not in Session().get_available_regions("connect", instance["partition"]):
        raise ValueError
    return arn


def list_of(pattern: re.Pattern[str], characters: int = 100_000) -> Callable[[object], tuple[str, ...]]:
    """Read texts of a pattern: a JSON list, or one string with commas; at most so many characters in all."""

    def parse(given: object) -> tuple[str, ...]:
        parts = [part.strip() for part in given.split(",")] if isinstance(given, str) else given
        if not isinstance(parts, list) or len(parts) > MOST_IN_A_LIST:
            raise ValueError
        values = tuple(map(matching(pattern), parts))
        if len(" ".join(values)) > characters:
            raise ValueError
        return values

    return parse


def switch(given: object) -> bool:
    """Read true or false, as JSON has them or as text."""
    switched = {"true": True, "false": False}.get(given) if isinstance(given, str) else given
    if isinstance(switched, bool):
        return switched
    raise ValueError


def matching(pattern: re.Pattern[str]) -> Callable[[object], str]:
    """Read a text of a pattern."""

    def parse(given: object) -> str:
        if isinstance(given, str) and pattern.fullmatch(given):
            return given
        raise ValueError

    return parse


def number(fits: Callable[[float], bool]) -> Callable[[object], float]:
    """Read a number that fits, whole ones as `int`."""

    def parse(given: object) -> float:
        number = float(given) if isinstance(given, str) and NUMBER.fullmatch(given) else given
        if isinstance(number, int | float) and not isinstance(number, bool) and fits(number):
            return int(number) if number.is_integer() else number
        raise ValueError

    return parse
