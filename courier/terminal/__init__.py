"""What a person sees: the only part that prints."""
