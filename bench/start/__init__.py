"""The table "start": what a cold start and a warm invocation cost."""
