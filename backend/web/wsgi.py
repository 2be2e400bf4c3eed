"""What gunicorn loads: `backend.web.wsgi:app`. One process, several threads, no preloading (see server.py)."""

from __future__ import annotations

import atexit
import sys

from flask import Flask

from backend.logs import configure_logs
from backend.services import open_services
from backend.serving.live.models import LiveStudents
from backend.serving.live.preload import Warmer
from backend.settings import load_settings
from backend.web.app import create_app

# How long a thread may keep Python to itself while others wait: an answer needs it several times, and Python's own 5 ms
# each time would be most of what a /setup takes while events are being stored.
SWITCH_SECONDS = 0.0005


def _open() -> Flask:
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = load_settings()
    configure_logs(settings)
    services = open_services(settings)
    live = LiveStudents(services.registry, settings.THREADS, settings.cache_dir)
    opened = create_app(services, live)
    parts = opened.extensions["shortlist"]
    atexit.register(parts.background.close)
    atexit.register(live.close)
    warmer = Warmer(services, live)
    atexit.register(warmer.close)
    warmer.start()
    return opened


app = _open()
