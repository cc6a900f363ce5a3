"""The way out to other machines: which of them may be called, and a proxy that holds to it."""
