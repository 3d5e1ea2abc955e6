"""What an edition costs in time on more or fewer machines: its jobs, how long each takes, and their schedule."""
