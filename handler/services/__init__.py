"""The calls that the function makes, one file for each service: Connect, SQS, S3 (payload), EventBridge (outcomes)."""
