"""Is the picture good enough? Analysed pictures, and guidance for the page."""
