"""Generations in flight, advanced together."""
