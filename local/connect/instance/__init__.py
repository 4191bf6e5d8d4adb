"""One emulated Connect instance: what it holds, and what it decides about each request."""
