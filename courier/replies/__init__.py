"""Replies in files, before they are sent: reading them, and finding their faults."""
