"""``make demo``: shows what happens to replies, valid and invalid, between the queue and Connect."""
