"""Benchmarks: `make bench`, and two more for very many people (`admin_pages`, `searching`)."""
