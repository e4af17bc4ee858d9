-- The gaps between token chunks, pooled: the inter-token latency as racelog defines it. Chunks of one message (one stamp, not
-- coalesced) have no gap between them, and an answer in one piece has none.
SELECT race_id, engine, count(*) AS gaps, avg(gap_ms) AS mean_ms, median(gap_ms) AS p50_ms,
    quantile_cont(gap_ms, 0.9) AS p90_ms, quantile_cont(gap_ms, 0.99) AS p99_ms, max(gap_ms) AS most_ms
FROM (
    SELECT race_id, lane_id, CASE WHEN t_ns > before_ns OR joined THEN (t_ns - before_ns) / 1e6 END AS gap_ms
    FROM (
        SELECT *, lag(t_ns) OVER its_chunks AS before_ns, lag(coalesced) OVER its_chunks AS joined
        FROM tokens SEMI JOIN (FROM requests WHERE phase = 'race' AND status = 'ok' AND NOT one_piece)
            USING (race_id, lane_id, request_id)
        WINDOW its_chunks AS (PARTITION BY race_id, lane_id, request_id ORDER BY seq)
    )
) JOIN lanes USING (race_id, lane_id)
WHERE gap_ms IS NOT NULL AND kept = 'all'
GROUP BY race_id, lane_id, engine ORDER BY race_id, p50_ms
