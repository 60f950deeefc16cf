"""Downloading a checkpoint from the Hugging Face hub, on request only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, cast

from engine.errors import CheckpointError
from engine.model.checkpoint import BUNDLED, HUB_ID

Progress: TypeAlias = Callable[[str, float], None]
"""Called with what is being done and how much of it is done, 0 .. 1."""

_PATTERNS = ["*.json", "*.safetensors"]  # weights without pickle, and their configuration


def download(name: str, progress: Progress | None) -> Path:
    """Fetch a checkpoint into the hub cache, or find it there. A broken download resumes at the next call.

    Args:
        name: "owner/name" or "owner/name@revision".
        progress: told the megabytes so far and the share of files that are there, from the download's threads.

    Returns:
        The snapshot folder.

    Raises:
        CheckpointError: no such repository, no network, no permission or no space.
    """
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    match = HUB_ID.fullmatch(name)
    if match is None:
        raise CheckpointError(f"Checkpoint {name!r} is not a hub id.", "Write owner/name or owner/name@revision.")
    bar = _reporting_bar(f"Fetching {name}", progress)
    try:
        fetch = cast(Any, huggingface_hub).snapshot_download
        folder = fetch(match["repo"], revision=match["revision"], allow_patterns=_PATTERNS, tqdm_class=bar)
    except LocalEntryNotFoundError as error:
        raise CheckpointError(
            f"Checkpoint {name}: the hub cannot be reached and the cache does not hold it.",
            f"Connect to the network and run `demon checkpoint fetch {name}`, or use {BUNDLED}.",
        ) from error
    except (HfHubHTTPError, HFValidationError) as error:
        raise CheckpointError(
            f"Checkpoint {name}: the hub refused it ({str(error).splitlines()[0]}).",
            "Check its name and revision, and run `hf auth login` if it is private.",
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"Checkpoint {name}: the download failed ({error}).",
            f"Check the free disk space and the network, then run `demon checkpoint fetch {name}`; it resumes.",
        ) from error
    return Path(folder)


def _reporting_bar(label: str, progress: Progress | None) -> type[Any]:
    from tqdm.auto import tqdm

    received = 0.0
    share = 0.0

    class Bar(tqdm):
        """Draws nothing. The hub opens one bar over the files and two over their bytes (network, then disk)."""

        def __init__(self, *args: Any, **options: Any) -> None:
            self._bytes = options.get("unit") == "B"
            self._done = 0.0
            super().__init__(*args, **{**options, "disable": True})  # pyright: ignore[reportUnknownMemberType]

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal received, share
            self._done += n or 0
            if self._bytes:
                received = max(received, self._done)
            elif self.total:
                share = min(self._done / self.total, 1.0)
            if progress is not None:
                progress(f"{label}: {received / 1e6:.0f} MB", share)
            return None

    return Bar
