"""A log made anew from others, proven equal before it takes a name."""
