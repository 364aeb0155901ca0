"""A request in, an answer out: uploads, JSON bodies, responses, client addresses, rate limits."""
