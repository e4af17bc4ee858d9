-- One race in five languages: TTFT and ITL or TPOT as vllm bench, aiperf, guidellm, genai-perf and llmperf would report them.
SELECT 'vllm bench' AS tool, race_id, engine, metric, n, mean, p50, p99, definition FROM vllm_bench()
UNION ALL SELECT 'aiperf', race_id, engine, metric, n, mean, p50, p99, definition FROM aiperf()
UNION ALL SELECT 'guidellm', race_id, engine, metric, n, mean, p50, p99, definition FROM guidellm()
UNION ALL SELECT 'genai-perf', race_id, engine, metric, n, mean, p50, p99, definition FROM genai_perf()
UNION ALL SELECT 'llmperf', race_id, engine, metric, n, mean, p50, p99, definition FROM llmperf()
