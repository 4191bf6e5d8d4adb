"""What tests wait with."""

from local.drain import wait_until_empty as settle
from local.waiting import until

__all__ = ["settle", "until"]
