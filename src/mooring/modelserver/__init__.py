"""The model server: one logged model behind `/invocations`, the Open Inference Protocol and a Swagger page.

Stands alone: it imports no other room, so that it also runs in the environment that a model brings with it.

The way of a request, top to bottom: `app` (ASGI, finds the route) → `endpoints` (read the body, a deadline) →
`dataplane` (queue, worker thread) → `suspicion` (unless a replica died over it) → `protocols/*` (bytes to an
`Inference`) → `rules` (MLflow's own conversion) → `model` (predict) → `protocols/*` (prediction to bytes). The way
of a start: `main` → `server` → `loading`.
"""
