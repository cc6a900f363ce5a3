"""The `mooring` command: words and options; what they do lives in the other rooms."""
