"""Users' containers, run by podman or docker."""
