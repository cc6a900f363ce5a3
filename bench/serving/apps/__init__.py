"""The server of each peer that is told by a program what to serve; run in the peer's own environment."""
