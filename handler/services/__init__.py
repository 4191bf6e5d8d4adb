"""What the function asks of AWS, one service a file: Connect, SQS, S3 (payload), EventBridge (outcomes)."""
