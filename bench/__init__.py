"""Figures of this project, measured beside a plain peer's in the same run."""
