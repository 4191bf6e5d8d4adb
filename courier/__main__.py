"""`python -m courier` is `courier`."""

from courier.cli import main

main()
