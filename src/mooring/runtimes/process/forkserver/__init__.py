"""The fork server: a warm parent from which replicas are forked, with everything imported that they need.

One per tenant and kind of program, so that no two tenants' replicas share a layout of memory. It imports only: it has
no model, no credentials, no thread and nobody's data. What it forks is a shim, which forks the replica in turn; both
live on without it.
"""
