"""The Lambda function: sends each reply on the queue through Amazon Connect, exactly once, and loses none."""
