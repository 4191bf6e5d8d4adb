"""Who may do what, statement by statement."""
