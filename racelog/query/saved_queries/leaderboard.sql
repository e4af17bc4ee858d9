-- Who won: every engine's latencies, speed and success, by median TTFT.
SELECT race_id, engine, count(*) AS requests, count(*) FILTER (WHERE requests.status = 'ok') AS ok,
    median(ttft_ms) FILTER (WHERE requests.status = 'ok') AS ttft_p50_ms, quantile_cont(ttft_ms, 0.99) FILTER (WHERE requests.status = 'ok') AS ttft_p99_ms,
    median(tpot_ms) FILTER (WHERE requests.status = 'ok') AS tpot_p50_ms, sum(output_tokens) FILTER (WHERE requests.status = 'ok') AS output_tokens,
    sum(output_tokens) FILTER (WHERE requests.status = 'ok') / nullif((any_value(lanes.t_end_ns) - any_value(t_start_ns)) / 1e9, 0) AS tokens_per_s
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE phase = 'race'
GROUP BY race_id, lane_id, engine
ORDER BY race_id, ttft_p50_ms NULLS LAST
