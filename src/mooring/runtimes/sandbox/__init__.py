"""Users' containers without a container engine: a local stand-in for the image, run in a sandbox by bubblewrap."""
