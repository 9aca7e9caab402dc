"""What runs in the peers' own environment, where there is no llamood. `job.py` is the command."""
