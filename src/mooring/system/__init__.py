"""One installation: its parts made, wired, started, watched and stopped. The only place that knows all rooms."""
