"""Stand-ins for the outside world, each in a process of its own. Of ours they know the kernel alone."""
