"""One file per vendor, and what they share: HTTP, throttle, dialect, prices, batch API."""
