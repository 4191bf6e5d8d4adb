"""The CDK stack, one construct for each concern."""
