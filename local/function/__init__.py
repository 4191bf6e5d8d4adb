"""Lambda on a laptop: the deployed zip in execution environments, fed by the event source mapping."""
