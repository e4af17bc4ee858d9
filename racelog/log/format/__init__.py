"""The log's bytes: units and what lies in them, in every version. Pure."""
