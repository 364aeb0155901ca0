"""Is it them? Encoders, distances, calibration, and the policy that decides."""
