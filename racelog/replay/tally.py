"""What the standings ask of a lane's ended requests beside their counts: what its cache gave, and who was left waiting."""

from dataclasses import dataclass, field, replace

from racelog.replay.request import RequestState


@dataclass(slots=True)
class Tally:
    """Sums over the race's requests that have ended.

    ``prompt_tokens`` are those of ``prompted`` answered requests whose prompt the server counted, ``cached_tokens`` how many
    of them it said came from its cache, ``told`` how many requests it said so of. ``unanswered_ms`` is how long each
    cancelled request had waited without a first token.
    """

    prompt_tokens: int = 0
    prompted: int = 0
    cached_tokens: int = 0
    told: int = 0
    unanswered_ms: list[float] = field(default_factory=list)

    def take(self, request: RequestState) -> None:
        """Enter a request of the race that has ended."""
        if request.status == "ok" and request.input_tokens is not None:
            self.prompt_tokens += request.input_tokens
            self.prompted += 1
            if request.cached_tokens is not None:
                self.cached_tokens += max(0, min(request.cached_tokens, request.input_tokens))
                self.told += 1
        elif request.status == "cancelled" and request.t_first is None and request.e2e_ms is not None:
            self.unanswered_ms.append(request.e2e_ms)

    @property
    def cached_share(self) -> float | None:
        """Share of the prompt tokens that came from the cache, 0 to 1; None where the server never says.

        One that says so of some requests and nothing of others had nothing for those: vLLM leaves a 0 out.
        """
        return self.cached_tokens / self.prompt_tokens if self.told and self.prompt_tokens else None

    def copy(self) -> "Tally":
        """Return it as it stands, to go on from here a second time."""
        return replace(self, unanswered_ms=[*self.unanswered_ms])
