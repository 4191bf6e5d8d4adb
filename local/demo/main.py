"""The demo, from its first line to its last."""

from dataclasses import dataclass, field

from local.connect.control_client import ConnectControl
from local.demo.printing import DemoError, print_line
from local.demo.scenes import Demo
from local.outcomes import BUS
from local.system import running


def main() -> int:
    """Run the demo; return the exit status."""
    print_line("Replies go through all of reply-courier on this machine, and every one is accounted for.\n")
    demo, deployment = Demo(), Deployment()
    try:
        with running(deployment.print_line, demo.print_log, context={"eventBusName": BUS}, with_cdk=True) as courier:
            demo.play(courier, ConnectControl(courier.connect_url))
    except (DemoError, TimeoutError) as failed:
        print_line(f"\nThe demo failed: {failed}")
        return 1
    except RuntimeError as failed:
        print_line("\n".join([*deployment.lines, "", f"The demo failed: {failed}"]))
        return 1
    print_line("\nNext: make local keeps it running, for replies and commands of your own.")
    return 0


@dataclass
class Deployment:
    """Prints the commands of the deployment, and keeps what they say, which a person wants to read if one fails."""

    lines: list[str] = field(default_factory=list)

    def print_line(self, line: str) -> None:
        """Take a command ("$ …") or a line of its output."""
        self.lines.append(line)
        if line.startswith("$ "):
            print_line(f"   $ {' '.join(line.split()[1:3])} …")
