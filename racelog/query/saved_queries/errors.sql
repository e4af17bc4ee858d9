-- What failed, how often, and one message of each kind.
SELECT race_id, engine, error_kind, http_status, count(*) AS requests, min(error_message) AS message
FROM requests JOIN lanes USING (race_id, lane_id)
WHERE requests.status IN ('failed', 'cancelled')
GROUP BY ALL ORDER BY requests DESC, race_id, engine, error_kind, http_status
