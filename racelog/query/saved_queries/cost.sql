-- What a million output tokens cost, if an engine's machine costs so much an hour.
-- $per_hour = 2.5
SELECT race_id, engine, sum(output_tokens) AS output_tokens, any_value(lanes.t_end_ns - t_start_ns) / 1e9 AS seconds,
    any_value(lanes.t_end_ns - t_start_ns) / 3.6e12 * $per_hour AS cost,
    any_value(lanes.t_end_ns - t_start_ns) / 3.6e12 * $per_hour / nullif(sum(output_tokens), 0) * 1e6 AS cost_per_million_tokens
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE phase = 'race' AND requests.status = 'ok'
GROUP BY race_id, lane_id, engine ORDER BY race_id, cost_per_million_tokens
