"""Settles on a real account how Connect answers where AWS does not document it."""
