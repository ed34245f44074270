"""The interpreter of AMI: what it makes of recordings, of losses, and of what older versions send."""
