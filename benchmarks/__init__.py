"""Benchmarks: `make bench`, and more for very many people (`admin_pages`, `searching`)."""
