"""Rows as the AI API shows them: plain dictionaries, for lists of any length."""
