"""What the recording machine is, and what a process may ask of it."""
