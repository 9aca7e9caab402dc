"""What `tools/verify_device.py` checks of a device: one file for each kind of check."""
