-- The same request on two engines, prompt by prompt: how much later the second one is, and how often.
SELECT a.race_id, first.engine AS engine, second.engine AS against, count(*) AS pairs,
    median(b.ttft_ms - a.ttft_ms) AS ttft_difference_p50_ms, avg(b.ttft_ms - a.ttft_ms) AS ttft_difference_mean_ms,
    stddev_samp(b.ttft_ms - a.ttft_ms) / sqrt(count(*)) AS standard_error_ms,
    count(*) FILTER (WHERE b.ttft_ms > a.ttft_ms) / count(*) AS share_slower
FROM requests AS a
JOIN requests AS b ON a.race_id = b.race_id AND a.request_id = b.request_id AND a.prompt_id = b.prompt_id AND a.lane_id < b.lane_id
JOIN lanes AS first ON a.race_id = first.race_id AND a.lane_id = first.lane_id
JOIN lanes AS second ON b.race_id = second.race_id AND b.lane_id = second.lane_id
WHERE a.phase = 'race' AND b.phase = 'race' AND a.status = 'ok' AND b.status = 'ok'
    AND a.ttft_ms IS NOT NULL AND b.ttft_ms IS NOT NULL
GROUP BY a.race_id, a.lane_id, b.lane_id, first.engine, second.engine
ORDER BY a.race_id, a.lane_id, b.lane_id
