-- How much to trust the times: who stamped the chunks, how many came coalesced, how late the recorder's loop woke.
SELECT race_id, engine, stamp, count(*) AS chunks, count(*) FILTER (WHERE coalesced) / count(*) AS share_coalesced,
    (SELECT quantile_cont(loop_lag_us, 0.99) FROM host_samples WHERE host_samples.race_id = tokens.race_id) AS loop_lag_p99_us
FROM tokens JOIN lanes USING (race_id, lane_id)
GROUP BY race_id, lane_id, engine, stamp ORDER BY race_id, engine, stamp
