"""`python -m courier` is `courier`."""

from courier.cli.app import main

main()
