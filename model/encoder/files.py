"""The small files of a model, in a folder or at a hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from model.errors import EncoderError


class ModelFiles:
    """Files by their path below `place`, a folder or a hub name. `fetch`: what is not here yet may be fetched."""

    def __init__(self, place: str, fetch: bool = True) -> None:
        self.place, self._fetch = place, fetch
        self._folder = Path(place) if Path(place).is_dir() else None

    def path(self, name: str) -> Path | None:
        """Where the file lies; None if the model has none. EncoderError if that cannot be told: the hub is out of
        reach, and whether there is such a file was not asked before."""
        if self._folder is not None:
            found = self._folder / name
            return found if found.is_file() else None
        return self._of_hub(name)

    def json(self, name: str) -> Any:
        """What the file holds; None if there is none. EncoderError if it cannot be read."""
        path = self.path(name)
        if path is None:
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise EncoderError(f"STUDENT_ENCODER={self.place}: {name} cannot be read ({error})") from error

    def _of_hub(self, name: str) -> Path | None:
        from huggingface_hub import hf_hub_download, try_to_load_from_cache
        from huggingface_hub.errors import (
            EntryNotFoundError,
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )

        try:
            kept = try_to_load_from_cache(self.place, name)
            if isinstance(kept, str):
                return Path(kept)
            if kept is not None:  # the hub said before that there is none
                return None
            return Path(hf_hub_download(self.place, name, local_files_only=not self._fetch))
        except HFValidationError as error:
            raise EncoderError(f"STUDENT_ENCODER={self.place} is neither a folder nor a hub name") from error
        except LocalEntryNotFoundError as error:
            raise EncoderError(
                f"STUDENT_ENCODER={self.place}: whether the model has a file {name} is not known on this host, and the "
                "hub cannot be reached; without it the model might be used other than it was made for. Let this host "
                "reach the hub once, or name a folder with all files of the model"
            ) from error
        except EntryNotFoundError:
            return None
        except (OSError, HfHubHTTPError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise EncoderError(
                f"STUDENT_ENCODER={self.place}: {name} cannot be fetched from the hub ({reason})"
            ) from error
