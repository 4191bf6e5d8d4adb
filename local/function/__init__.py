"""Lambda on a laptop: execution environments run the deployed zip, and the event source mapping invokes them."""
