"""What is measured beside the requests: the recorder itself, its machine, GPUs and engines."""
