"""What a picture of the race is made from: plain data."""
