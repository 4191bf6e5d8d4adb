"""SQS on a laptop: moto, held to SQS's limits, with a clock that can be skipped and faults that can be set."""
