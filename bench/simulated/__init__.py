"""Replies through the function's own code on a simulated clock, for rates and times that no laptop can play."""
