-- How late requests were sent after the schedule wanted them: a client that lags hides a server that is slow.
SELECT race_id, engine, count(*) AS requests, median((t_sent_ns - t_scheduled_ns) / 1e6) AS p50_ms,
    quantile_cont((t_sent_ns - t_scheduled_ns) / 1e6, 0.99) AS p99_ms, max((t_sent_ns - t_scheduled_ns) / 1e6) AS most_ms
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE phase = 'race' AND t_sent_ns IS NOT NULL
GROUP BY race_id, lane_id, engine ORDER BY race_id, engine
