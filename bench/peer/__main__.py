"""The peer's CDK app: ``cdk deploy peer --app "python -m bench.peer"``."""

from pathlib import Path

from aws_cdk import App

from bench.peer.bundle import bundle
from bench.peer.stack import PeerStack


def synth(app: App) -> None:
    """Synthesise the stack with the settings in the app's context."""
    PeerStack(
        app,
        "peer",
        code=bundle(Path(__file__).parents[2]),
        instance_arn=app.node.get_context("instanceArn"),
        architecture=app.node.get_context("architecture"),
        max_concurrency=int(app.node.get_context("maxConcurrency")),
    )
    app.synth()


if __name__ == "__main__":
    synth(App())
