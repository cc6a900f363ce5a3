"""Loops that lease a row, decide (domain), act (runtimes, gateway) and record (store)."""
