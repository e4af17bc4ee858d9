-- How many requests were really in flight on each lane: time shares of every level.
WITH steps AS (
    SELECT race_id, lane_id, t_sent_ns AS t_ns, 1 AS step FROM requests WHERE t_sent_ns IS NOT NULL AND t_end_ns IS NOT NULL
    UNION ALL SELECT race_id, lane_id, t_end_ns, -1 FROM requests WHERE t_sent_ns IS NOT NULL AND t_end_ns IS NOT NULL
), levels AS (
    SELECT race_id, lane_id, sum(step) OVER w AS in_flight, lead(t_ns) OVER w - t_ns AS ns
    FROM steps WINDOW w AS (PARTITION BY race_id, lane_id ORDER BY t_ns, step)
)
SELECT race_id, engine, in_flight, sum(ns) / 1e9 AS seconds, sum(ns) / sum(sum(ns)) OVER (PARTITION BY race_id, lane_id) AS share
FROM levels JOIN lanes USING (race_id, lane_id)
WHERE ns > 0
GROUP BY race_id, lane_id, engine, in_flight ORDER BY race_id, engine, in_flight
