-- The requests that took longest, and where their time went: to the first token or after it.
-- $n = 20
SELECT race_id, engine, request_id, e2e_ms, ttft_ms, e2e_ms - ttft_ms AS after_first_ms, input_tokens, output_tokens, prompt
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE phase = 'race' AND requests.status = 'ok'
ORDER BY e2e_ms DESC, race_id, engine, request_id
LIMIT $n
