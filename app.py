"""The CDK app: reads the settings and composes the stack; any synth that breaks a rule of infra/checks.py fails."""

from pathlib import Path

from aws_cdk import App

from infra.bundle import bundle
from infra.checks import add_checks
from infra.settings import SettingsError, read_settings
from infra.stack import ReplyCourierStack

app = App()
try:
    settings = read_settings(app.node.get_all_context())
except SettingsError as faults:
    raise SystemExit(str(faults)) from None
ReplyCourierStack(app, "reply-courier", settings=settings, code=bundle(Path(__file__).parent))
add_checks(app)
app.synth()
