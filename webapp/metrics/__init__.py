"""Daily metrics of what viewers saw and did, and the alerts on them."""
