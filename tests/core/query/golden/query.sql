-- Everything that a form may trip over: quotes, pipes, line breaks, escape codes, wide characters, lists, nothing.
select * from (
    values
        (1, 'plain', 1.5::double, true, null, [1, 2], timestamp '2026-11-21 01:30:00'),
        (20, 'a "quote", a | pipe', 0.125, false, 'ünï', null, null),
        (300, e'line\nbreak' || chr(27) || '[2J', null, null, '車', [], null)
) as t(id, text, number, flag, note, list, moment)
order by id
