"""Requests of several clients, predicted together: what waits while the model is busy is the next batch."""
