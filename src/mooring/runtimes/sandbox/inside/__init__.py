"""What runs as process 1 inside of a sandbox. It imports nothing of ours but itself, and as little else as it can."""
