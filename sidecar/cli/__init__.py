"""The command line `demon`: one file per command, each importing what it needs when it runs."""

from sidecar.cli.app import main

__all__ = ["main"]
