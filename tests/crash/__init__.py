"""Crashes at every boundary between two beats, played by real processes: `make crash-matrix`, and a sample as tests."""
