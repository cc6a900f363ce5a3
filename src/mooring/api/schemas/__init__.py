"""The shapes of requests (checked) and of answers (documentation only: answers are not validated on the way out)."""
