-- Who won: every engine's place, latencies, speed and success; who did not finish (DNF) is below all others, with the reason.
SELECT race_id, any_value(final_place) AS place, engine, count(*) AS requests, count(*) FILTER (WHERE requests.status = 'ok') AS ok,
    median(ttft_ms) FILTER (WHERE requests.status = 'ok') AS ttft_p50_ms, quantile_cont(ttft_ms, 0.99) FILTER (WHERE requests.status = 'ok') AS ttft_p99_ms,
    median(tpot_ms) FILTER (WHERE requests.status = 'ok') AS tpot_p50_ms, sum(output_tokens) FILTER (WHERE requests.status = 'ok') AS output_tokens,
    sum(output_tokens) FILTER (WHERE requests.status = 'ok') / nullif((any_value(lanes.t_end_ns) - any_value(t_start_ns)) / 1e9, 0) AS tokens_per_s,
    any_value(lanes.dnf) AS dnf
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE phase = 'race'
GROUP BY race_id, lane_id, engine
ORDER BY race_id, place NULLS LAST, dnf NULLS FIRST, ttft_p50_ms NULLS LAST
