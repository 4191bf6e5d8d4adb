"""One reply's story: what the function's log and the dead-letter queue say of it, and where it is now."""
