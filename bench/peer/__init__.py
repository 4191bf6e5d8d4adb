"""A plain peer: a handler and a stack as the documentation of Powertools and CDK would have one write them."""

from pathlib import Path

from local.aws import ROOT
from local.cdk import CdkApp

PEER = CdkApp("peer", "python -m bench.peer", (Path(__file__).parent, ROOT / "cdk.json", ROOT / "requirements"))
