"""`mooring serve` and its peers, side by side in one run; `make bench-serving`."""
