"""Asking by key: the run that made a model holds `features/`, and callers name whose rows are to be predicted."""
