"""``racelog slowest``: the requests that waited longest for their first token."""

import click

import racelog

QUERY = """
select engine, request_id, round(ttft_ms, 1) from requests join lanes using (race_id, lane_id)
where phase = 'race' and ttft_ms is not null order by ttft_ms desc limit ?
"""


@click.command(short_help="The requests with the longest TTFT.")
@click.argument("race", default="latest")
@click.option("-n", "most", default=5, show_default=True, help="How many.")
def slowest(race: str, most: int) -> None:
    """Print the requests of RACE that waited longest for their first token, one a line."""
    for engine, request, ttft_ms in racelog.connect(race).execute(QUERY, [most]).fetchall():
        click.echo(f"{engine} {request} {ttft_ms} ms")
