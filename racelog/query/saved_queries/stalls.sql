-- Streams that stood still: gaps between tokens many times longer than the engine's median gap.
-- $times = 10
WITH gaps AS (
    SELECT race_id, lane_id, request_id, seq, t_ns,
        (t_ns - lag(t_ns) OVER (PARTITION BY race_id, lane_id, request_id ORDER BY seq)) / 1e6 AS gap_ms
    FROM tokens SEMI JOIN (FROM requests WHERE phase = 'race') USING (race_id, lane_id, request_id)
)
SELECT race_id, engine, request_id, seq, t_ns, gap_ms, gap_ms / usual_ms AS times_the_median
FROM gaps JOIN (SELECT race_id, lane_id, median(gap_ms) AS usual_ms FROM gaps GROUP BY ALL) USING (race_id, lane_id)
JOIN lanes USING (race_id, lane_id)
WHERE gap_ms > $times * usual_ms AND usual_ms > 0 AND kept = 'all'
ORDER BY gap_ms DESC, race_id, engine, request_id, seq
