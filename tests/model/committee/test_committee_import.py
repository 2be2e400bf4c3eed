"""Heavy libraries stay in the files that use them."""

from __future__ import annotations

import subprocess
import sys


def test_importing_votes_and_scores_loads_no_heavy_library() -> None:
    heavy = ("torch", "transformers", "sklearn")
    code = f"import sys, model.acquisition, model.committee; print([n for n in {heavy} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
