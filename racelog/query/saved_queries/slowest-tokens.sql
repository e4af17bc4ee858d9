-- The tokens that came last after the one before, with what the GPU did at that moment.
-- $n = 20
SELECT tokens.race_id, engine, request_id, seq, round(gap_ms, 3) AS gap_ms, tokens.t_ns, text, coalesced, device AS gpu, util_pct, power_w, mem_used_mib
FROM (
    SELECT *, (t_ns - lag(t_ns) OVER (PARTITION BY race_id, lane_id, request_id ORDER BY seq)) / 1e6 AS gap_ms
    FROM tokens SEMI JOIN (FROM requests WHERE phase = 'race') USING (race_id, lane_id, request_id)
) AS tokens
JOIN lanes USING (race_id, lane_id)
ASOF LEFT JOIN (FROM gpu_samples WHERE device = 0) AS gpu ON tokens.race_id = gpu.race_id AND tokens.t_ns >= gpu.t_ns
WHERE gap_ms IS NOT NULL AND kept = 'all'
ORDER BY gap_ms DESC, tokens.race_id, engine, request_id, seq
LIMIT $n
