"""The same job by other means, each as a competent user of it would write it, in a process and a venv of its own."""
