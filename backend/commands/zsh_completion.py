"""Completion in zsh beyond what typer's script does: with the first Tab already, and by the program that was typed."""

from __future__ import annotations

from typer import _completion_shared

BY_NAME = "complete_zsh %(prog_name)s)"  # fails where `shortlist` is not on PATH, as in `.venv/bin/shortlist`
AS_TYPED = "complete_zsh ${~words[1]})"
AT_ONCE = """
# zsh reads this file at the first Tab of a terminal, to learn how to complete; this completes then, too.
[[ $funcstack[1] == _%(prog_name)s ]] && %(complete_func)s
"""


def mend_zsh() -> None:
    """Have `--install-completion` and `--show-completion` write our script; another one than we know is left alone."""
    scripts = _completion_shared._completion_scripts
    known = scripts["zsh"]
    if BY_NAME in known:
        scripts["zsh"] = known.replace(BY_NAME, AS_TYPED) + AT_ONCE
