"""The conductor: one process that arms the lanes, starts them together and seals what they wrote."""
