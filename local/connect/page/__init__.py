"""The page of the emulated Connect."""
