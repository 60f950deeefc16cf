"""Measurements of the engine, each against something else in the same run."""
