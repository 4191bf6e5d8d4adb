"""moto, which plays AWS on a laptop, and what it is taught here: limits of SQS, a clock, alarms, queries, states."""
