"""`courier`, the operators' command line: what is on the dead-letter queue, and what to do about it."""
