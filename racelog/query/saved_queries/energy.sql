-- Energy of each GPU over a race, by its counter or else by its power, and per output token of all lanes.
SELECT race_id, source, device, any_value(name) AS gpu,
    coalesce(max(energy_j) - min(energy_j), avg(power_w) * (max(t_ns) - min(t_ns)) / 1e9) AS joules,
    avg(power_w) AS mean_w, max(power_w) AS most_w,
    coalesce(max(energy_j) - min(energy_j), avg(power_w) * (max(t_ns) - min(t_ns)) / 1e9)
        / nullif((SELECT sum(output_tokens) FROM requests WHERE requests.race_id = gpu_samples.race_id), 0) AS joules_per_token
FROM gpu_samples
GROUP BY race_id, source, device ORDER BY race_id, source, device
