"""Mooring: from a registered model to an inference URL that never changes."""

__version__ = "0.1.0"
