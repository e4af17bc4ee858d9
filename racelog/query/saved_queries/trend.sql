-- Is it getting slower? Each engine's medians race by race over the last days.
-- $days = 30
SELECT started_at, race_id, engine, model, median(ttft_ms) AS ttft_p50_ms, median(tpot_ms) AS tpot_p50_ms,
    median(ttft_ms) / lag(median(ttft_ms)) OVER (PARTITION BY engine, model ORDER BY started_at) - 1 AS ttft_change
FROM requests JOIN lanes USING (race_id, lane_id) JOIN races USING (race_id)
WHERE phase = 'race' AND requests.status = 'ok'
    AND started_at >= (SELECT max(started_at) FROM races) - to_days(CAST($days AS INTEGER))
GROUP BY started_at, race_id, engine, model
ORDER BY engine, model, started_at
