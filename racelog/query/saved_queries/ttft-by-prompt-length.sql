-- How the time to the first token grows with the prompt: TTFT by input tokens, in powers of two.
SELECT race_id, engine, CAST(pow(2, floor(log2(greatest(input_tokens, 1)))) AS BIGINT) AS input_tokens_from, count(*) AS requests,
    median(ttft_ms) AS ttft_p50_ms, quantile_cont(ttft_ms, 0.9) AS ttft_p90_ms
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE phase = 'race' AND requests.status = 'ok' AND input_tokens IS NOT NULL
GROUP BY ALL ORDER BY ALL
