"""Which models a project may choose. Names of folders, files and hubs that come with a request are not followed."""

from __future__ import annotations

from backend.errors import SettingsError
from backend.project_options import ProjectOptions
from backend.settings import Settings
from model.committee.roster import Roster, StudentSeat
from model.encoder.name import EncoderName


def refuse_foreign(settings: Settings, wanted: ProjectOptions) -> None:
    """SettingsError if the options of a project name a model that neither the settings nor PROJECT_MODELS name."""
    listed = {name.strip() for name in settings.PROJECT_MODELS.split(",")}
    foreign = sorted(_places(wanted) - _places(settings) - listed - {"default"})
    if foreign:
        name = foreign[0][:100]
        raise SettingsError(
            f"a project must not choose the model {name!r} by itself: whoever runs Shortlist allows it with "
            f"PROJECT_MODELS={name}"
        )


def _places(options: ProjectOptions) -> set[str]:
    """Encoders and descriptions of classifiers by hub name or path."""
    members = Roster.of(options.COMMITTEE).members
    seats = (StudentSeat.of(name) for name in members)
    files = {name for name in members if name.endswith(".json")}
    encoders = [options.STUDENT_ENCODER, *(seat.encoder for seat in seats if seat and seat.encoder)]
    return {*files, *(EncoderName.of(name).place for name in encoders)}
