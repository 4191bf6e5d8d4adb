"""The CDK app: reads the settings and composes the stack; a synth that breaks a rule of cdk-nag fails."""

from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.bundle import bundle
from infra.settings import SettingsError, read_settings
from infra.settings_file import with_file
from infra.stack import ReplyCourierStack

app = App()
folder = Path(__file__).parent
try:
    context = with_file(app.node.get_all_context(), folder)
    settings = read_settings(context)
except SettingsError as faults:
    raise SystemExit(str(faults)) from None
for name, value in context.items():
    app.node.set_context(name, value)  # CDK's own keys may come from the settings file
ReplyCourierStack(app, settings.stack_name, settings=settings, code=bundle(folder))
Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
app.synth()
