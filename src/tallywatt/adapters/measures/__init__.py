"""What a process counts about itself, as Prometheus reads it."""
