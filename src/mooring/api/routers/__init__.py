"""One router per noun: each translates requests to `mooring.services` and rows to answers."""
