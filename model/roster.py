"""Who sits in a committee, as people write it down. Light: settings are checked with it."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = ("student", "words", "names")


@dataclass(frozen=True)
class Roster:
    """Who sits in the committee: `student` (and `student:<seed>` on a bootstrap sample), `words`, `names`, and files
    that describe existing classifiers: {"place": hub name or folder, "map": {its label: ours or null}}."""

    members: tuple[str, ...] = DEFAULT

    @classmethod
    def of(cls, text: str) -> Roster:
        """From names with commas between them; ValueError says what is wrong."""
        return cls(tuple(name for part in text.split(",") if (name := part.strip())))

    def __post_init__(self) -> None:
        if len(self.members) < 2 or len(set(self.members)) < len(self.members):
            raise ValueError(
                f"a committee needs two or more different members, got {', '.join(self.members) or 'none'}"
            )
        for name in self.members:
            kind, _, seed = name.partition(":")
            if name not in DEFAULT and not name.endswith(".json") and not (kind == "student" and seed.isdigit()):
                raise ValueError(f"{name!r} is no member; allowed: student, student:<seed>, words, names, <file>.json")
