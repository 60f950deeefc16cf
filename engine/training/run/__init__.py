"""A training run: workers, optimiser, schedule, state on disk, log."""
