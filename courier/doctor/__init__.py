"""Whether all is well: what AWS says of the stack, the account and the instance, and what to do about it."""
