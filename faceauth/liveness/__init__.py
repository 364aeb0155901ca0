"""Is a live person there? The challenge, and judging head turns."""
