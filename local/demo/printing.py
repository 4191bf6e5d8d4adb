"""What the demo says, and that it failed."""


class DemoError(Exception):
    """The demo did not show what it should; the message says what it showed instead."""


def print_line(text: str) -> None:
    """Print a line at once, even into a pipe."""
    print(text, flush=True)
