"""moto, which plays AWS on a laptop, and what this project adds to moto.

The additions: limits of SQS, a clock for SQS that skips, alarms and subscriptions of a stack, queries of logs, and the
states of an event source mapping.
"""
