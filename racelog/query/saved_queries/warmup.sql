-- What warming up was worth: the first requests against the race itself.
SELECT race_id, engine, phase, count(*) AS requests, median(ttft_ms) AS ttft_p50_ms, median(tpot_ms) AS tpot_p50_ms
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE requests.status = 'ok'
GROUP BY race_id, lane_id, engine, phase ORDER BY race_id, engine, phase DESC
