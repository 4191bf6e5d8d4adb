"""Storms: replies through every fault at once, and a tally of what became of each."""
