"""The SQL contract: tables, macros and saved queries."""
