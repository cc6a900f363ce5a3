"""JSON to `Rows` and predictions to JSON, compiled from a model's signature: the quick way beside MLflow's own rules.

A decoder gives rows only where MLflow is known to hand these very values to the model, and None for all else.
"""
