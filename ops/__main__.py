"""`python -m ops` is `courier`."""

from ops.app import main

main()
