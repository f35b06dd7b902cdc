"""Training runs: export, tuning, the release and ranker runs, and the gate before publishing."""
