"""The command line of recording: parse, check, race with someone watching, sum up."""
