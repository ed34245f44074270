"""What is watched: the metrics, and the alerts that are made of them."""
