"""The process beside the DAW: lanes, passes, documents, the shared timeline, the protocol and the command line."""

__version__ = "0.1.0"
