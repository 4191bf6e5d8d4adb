"""Settings of the stacks that tests deploy."""

from local.outcomes import BUS

SHARED = {"sendRate": "10", "eventBusName": BUS}
"""Of the deployment that most tests share: at 10 replies a second, no test waits for its pace."""
RETRY_SECONDS = 4
"""How long the runbook's deployment retries a reply."""
RUNBOOK = SHARED | {"retryHours": f"{RETRY_SECONDS / 3600:.6f}", "allowedRecipients": "*@customer.example"}
SECOND_STACK = {"stackName": "second", "allowedRecipients": "*@elsewhere.example"}
