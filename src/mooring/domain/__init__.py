"""Nouns and pure decisions: state in, plan out. Imports nothing else of ours."""
