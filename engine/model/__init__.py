"""Checkpoints: finding, checking, loading and pruning them."""
