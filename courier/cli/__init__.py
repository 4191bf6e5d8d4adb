"""The commands, their options and their help; the other modules do the work."""
