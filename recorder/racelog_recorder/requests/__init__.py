"""One request from schedule to outcome, and how its stream is read."""
