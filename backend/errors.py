"""Errors of the Label Studio half. Every message says what happened, with which value, and what to change.

ShortlistError
├── SettingsError            a setting is unknown or malformed; names it and what is allowed
├── LabelingConfigError      the project's label config is not supported; names the tag
├── RequestError             a request's body cannot be understood; says what is wrong with it
├── ProjectError             the project is unknown here or paused
├── PoolError                the database cannot be opened or is of a newer release
│   └── TurnLost             another process has taken over what this one was doing: it may not write any more
├── QueueError               Redis cannot be reached, so that no job can be started
├── LabelStudioError         Label Studio cannot be used
│   ├── LabelStudioUnavailable   down, slow or answering 429 or 5xx: trying later may help
│   ├── OtherLabelStudio         the project is of another Label Studio than the one at LABEL_STUDIO_URL
│   ├── LabelStudioRefused       401, 403 or 404: the token or the address is wrong
│   │   └── LabelStudioLacks     404 alone
│   └── AddressBlocked           Label Studio refuses private addresses; names the two settings to change
├── BudgetReached            the teacher may not spend more; names the setting and the amounts
├── SampleError              a sample file cannot be used; names the file and the reason
└── StartError               a part of the all-in-one command cannot start; names the part and the remedy
"""

import json
import shlex


class ShortlistError(Exception):
    """Base of everything that the Label Studio half raises on purpose."""


class SettingsError(ShortlistError):
    """A setting is unknown or malformed."""


class LabelingConfigError(ShortlistError):
    """The project's label config is not supported. `option` is a project's option, with its value, that mends it."""

    def __init__(self, reason: str, option: tuple[str, str] | None = None) -> None:
        self.reason, self.option = reason, option
        super().__init__(f"{reason}; {in_label_studio(option)}" if option else reason)


def in_label_studio(option: tuple[str, str]) -> str:
    """How an option is set where the reader is at Label Studio or at a page."""
    return f"set {json.dumps(dict([option]), ensure_ascii=False)} in extra_params"


def at_command_line(option: tuple[str, str]) -> str:
    """How an option is set where the reader is at a terminal."""
    return f"--option {shlex.quote('='.join(option))}"


class RequestError(ShortlistError):
    """A request's body cannot be understood."""


class ProjectError(ShortlistError):
    """The project is unknown here or paused."""


class PoolError(ShortlistError):
    """The database cannot be opened or is of a newer release."""


class TurnLost(PoolError):
    """Another process has taken over what this one was doing."""


class QueueError(ShortlistError):
    """Redis cannot be reached."""


class LabelStudioError(ShortlistError):
    """Label Studio cannot be used."""


class LabelStudioUnavailable(LabelStudioError):
    """Down, slow, or answering 429 or 5xx: trying later may help."""


class OtherLabelStudio(LabelStudioError):
    """The project is of another Label Studio than the one that is asked."""


class LabelStudioRefused(LabelStudioError):
    """401, 403 or 404: the token or the address is wrong."""


class LabelStudioLacks(LabelStudioRefused):
    """404: there is no such thing, or the address is wrong."""


class AddressBlocked(LabelStudioError):
    """Label Studio refuses to talk to private addresses."""


class BudgetReached(ShortlistError):
    """The teacher may not spend more."""


class SampleError(ShortlistError):
    """A sample file cannot be used."""


class StartError(ShortlistError):
    """A part of the all-in-one command cannot start."""
