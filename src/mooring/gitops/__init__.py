"""Repositories and applications: fetched with the git program, read without a checkout, synced into the store."""
