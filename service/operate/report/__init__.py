"""`report`: how the interviews went over the last days, as one page that needs nothing else."""
