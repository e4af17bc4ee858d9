-- The gaps between token chunks, pooled: the inter-token latency as racelog defines it.
SELECT race_id, engine, count(*) AS gaps, avg(gap_ms) AS mean_ms, median(gap_ms) AS p50_ms,
    quantile_cont(gap_ms, 0.9) AS p90_ms, quantile_cont(gap_ms, 0.99) AS p99_ms, max(gap_ms) AS most_ms
FROM (
    SELECT race_id, lane_id, (t_ns - lag(t_ns) OVER (PARTITION BY race_id, lane_id, request_id ORDER BY seq)) / 1e6 AS gap_ms
    FROM tokens SEMI JOIN (FROM requests WHERE phase = 'race' AND status = 'ok') USING (race_id, lane_id, request_id)
) JOIN lanes USING (race_id, lane_id)
WHERE gap_ms IS NOT NULL AND kept = 'all'
GROUP BY race_id, lane_id, engine ORDER BY race_id, p50_ms
