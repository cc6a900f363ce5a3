"""The one way in: Envoy's configuration as a pure function of routes, its process, and what it counts."""
