"""What producers, the function and the operators' command agree on. Pure: no clients and no clocks."""
