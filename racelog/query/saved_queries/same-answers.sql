-- Did the engines say the same? Pairs of lanes, and how many prompts they answered letter for letter alike.
SELECT a.race_id, a.lane_id, b.lane_id AS against, count(*) AS pairs,
    count(*) FILTER (WHERE a.response = b.response) AS alike,
    avg(a.output_tokens) AS tokens, avg(b.output_tokens) AS tokens_against
FROM requests AS a
JOIN requests AS b ON a.race_id = b.race_id AND a.request_id = b.request_id AND a.prompt_id = b.prompt_id AND a.lane_id < b.lane_id
WHERE a.phase = 'race' AND b.phase = 'race' AND a.status = 'ok' AND b.status = 'ok'
GROUP BY ALL ORDER BY ALL
