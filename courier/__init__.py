"""`courier`, the operators' command line: what waits on the dead-letter queue, and what is to become of it."""
