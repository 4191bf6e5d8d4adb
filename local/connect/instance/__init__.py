"""One emulated Connect instance."""
