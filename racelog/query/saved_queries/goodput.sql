-- Requests per second that meet every service level at once; what does not count is as bad as what failed.
-- $ttft_ms = 1000
-- $tpot_ms = 100
-- $e2e_ms = 60000
FROM goodput(most_ttft_ms := $ttft_ms, most_tpot_ms := $tpot_ms, most_e2e_ms := $e2e_ms)
