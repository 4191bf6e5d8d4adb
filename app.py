"""The CDK app: reads the settings and composes the stack; a synth that breaks a rule of cdk-nag fails."""

from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.bundle import bundle
from infra.settings import SettingsError, cdk_keys, context_in_files, read_settings
from infra.stack import ReplyCourierStack


def synth(app: App) -> None:
    """Synthesise the stack with the settings in the app's context.

    Raises:
        SystemExit: A setting is wrong; the message says which.
    """
    project = Path(__file__).parent
    context = app.node.get_all_context()
    try:
        settings = read_settings(context, context_in_files(Path()))
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    for name, value in cdk_keys(context).items():
        app.node.set_context(name, value)
    ReplyCourierStack(app, settings.stack_name, settings=settings, code=bundle(project))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
    app.synth()


if __name__ == "__main__":
    synth(App())
