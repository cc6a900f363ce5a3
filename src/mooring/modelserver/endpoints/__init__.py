"""Endpoints by family: each module makes the routes of one from what it needs."""
