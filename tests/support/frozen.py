"""The last that `preloaded.py` has imported before a fork: what was loaded until then is garbage for none of its
processes. To look through it copies it, page by page, which takes a third of a second of the processor each time."""

from __future__ import annotations

import gc

gc.collect()
gc.freeze()
