"""The CDK app: reads the settings and composes the stack; a synth that breaks a rule of cdk-nag fails."""

from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.bundle import bundle
from infra.settings import SettingsError, read_settings
from infra.stack import ReplyCourierStack

app = App()
try:
    settings = read_settings(app.node.get_all_context())
except SettingsError as faults:
    raise SystemExit(str(faults)) from None
ReplyCourierStack(app, settings.stack_name, settings=settings, code=bundle(Path(__file__).parent))
Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
app.synth()
