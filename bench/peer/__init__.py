"""A plain peer: a handler and a stack as the documentation of Powertools and CDK would have one write them."""

from local.cdk import CdkApp

PEER = CdkApp("peer", "python -m bench.peer")
