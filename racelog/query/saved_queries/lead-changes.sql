-- The instants at which another engine took the lead.
SELECT race_id, position_s, engine, ttft_p50_ms
FROM (
    SELECT *, lag(lane_id) OVER (PARTITION BY race_id ORDER BY position_s) IS DISTINCT FROM lane_id AS taken
    FROM standings WHERE place = 1
) JOIN lanes USING (race_id, lane_id)
WHERE taken ORDER BY race_id, position_s
