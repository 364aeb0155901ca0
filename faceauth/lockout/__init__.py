"""May they try again? Consecutive failures are counted, and lead to waits."""
