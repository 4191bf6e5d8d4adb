"""What producers, the function and the operators' command agree on: pure, without clients and clocks."""
