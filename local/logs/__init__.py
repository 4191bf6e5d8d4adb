"""CloudWatch Logs on a laptop: the function's lines in its log group, and the queries that moto does not understand."""
