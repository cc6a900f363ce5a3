"""The process that watches one replica and outlives the control plane.

It runs `python -IS`, on the standard library alone, and imports as little of that as it can: there is one per replica.
"""
