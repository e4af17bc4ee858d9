-- Throughput second by second of each lane's own time, standstills too.
WITH counted AS (
    SELECT race_id, lane_id, (t_ns - t_start_ns) // 1000000000 AS second, count(*) AS chunks
    FROM tokens JOIN lanes USING (race_id, lane_id)
    WHERE t_ns >= t_start_ns AND kept = 'all'
    GROUP BY race_id, lane_id, second
),
seconds AS (
    SELECT race_id, lane_id, unnest(generate_series(0, max(second))) AS second FROM counted GROUP BY race_id, lane_id
)
SELECT race_id, engine, second, coalesce(chunks, 0) AS chunks
FROM seconds JOIN lanes USING (race_id, lane_id) LEFT JOIN counted USING (race_id, lane_id, second)
ORDER BY race_id, engine, lane_id, second
