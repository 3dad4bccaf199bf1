"""What runs trials: local processes, or a Ray cluster."""
