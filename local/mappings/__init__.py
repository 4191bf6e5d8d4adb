"""Event source mappings that can be disabled and enabled, as in Lambda: the state changes once the pollers follow."""
