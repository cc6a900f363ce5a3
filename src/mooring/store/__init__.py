"""Tables, sessions, leases and migrations."""
