-- What never ended: requests that were still open when the log stopped, and how far they had come.
SELECT race_id, engine, request_id, phase, t_sent_ns, chunks, t_last_token_ns, prompt
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE requests.status = 'open' ORDER BY race_id, engine, request_id
