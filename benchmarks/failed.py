"""What ends a benchmark early: a figure of a run that went wrong would mean nothing."""


class BenchmarkFailed(Exception):
    """The parts did not start, did not finish in time, or did their work wrongly."""
