"""What building and installing the plugin can fail with."""


class BridgeError(Exception):
    """A build or an installation that did not happen.

    `str(error)` says what was wrong with which file or tool, `fix` what to do next.
    """

    def __init__(self, text: str, fix: str) -> None:
        super().__init__(text)
        self.fix = fix
