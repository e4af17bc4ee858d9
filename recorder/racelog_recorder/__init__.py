"""Recording: plan, lanes, pump and telemetry; a race becomes a log."""
