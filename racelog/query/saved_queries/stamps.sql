-- How much to trust the times: who stamped the chunks, how many came coalesced, how late the lane's recorder woke.
SELECT race_id, engine, stamp, count(*) AS chunks, count(*) FILTER (WHERE coalesced) / count(*) AS share_coalesced,
    any_value(loop_lag_p99_us) AS loop_lag_p99_us
FROM tokens JOIN lanes USING (race_id, lane_id) LEFT JOIN health USING (race_id, lane_id)
GROUP BY race_id, lane_id, engine, stamp ORDER BY race_id, engine, stamp
