"""What the documents say is what the code does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_settings_page_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "settings_table.py"))
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == script["page"](), "run .venv/bin/python scripts/settings_table.py"


def test_every_link_of_the_readme_leads_somewhere() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text)]
    local = [target for target in targets if target and "://" not in target]
    assert local
    assert [target for target in local if not (ROOT / target).exists()] == []
