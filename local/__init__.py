"""AWS on a laptop: everything the deployed stack meets in an AWS account, run on this machine."""
