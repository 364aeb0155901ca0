"""Is a live person there? The challenge, its steps, and judging how the head follows them."""
