"""Object stores: the installation's own, and those that secrets lead to."""
