-- Throughput second by second of each lane's own time.
SELECT race_id, engine, (t_ns - t_start_ns) // 1000000000 AS second, count(*) AS chunks
FROM tokens JOIN lanes USING (race_id, lane_id)
WHERE t_ns >= t_start_ns
GROUP BY race_id, lane_id, engine, second ORDER BY race_id, engine, second
