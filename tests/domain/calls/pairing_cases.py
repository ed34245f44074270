"""The cases of ``pairing.txt``: what exchanges send, and the calls that shall come of it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

T0 = 1_780_000_000_000
FOUR_HOURS = 4 * 3600 * 1000


@dataclass
class Case:
    """A name, what is sent, and the calls that shall come of it."""

    name: str
    events: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


class Player(Protocol):
    """What plays the lines of a case: the rule book alone, or a store with a database."""

    def start(self, ramal: str, telefone: str, at: int, **extras: Any) -> Any: ...

    def answer(self, ramal: str, telefone: str, at: int, **extras: Any) -> Any: ...

    def transfer(self, ramal: str, telefone: str, to: str, at: int, **extras: Any) -> Any: ...

    def hold(self, ramal: str, telefone: str, at: int, **extras: Any) -> Any: ...

    def resume(self, ramal: str, telefone: str, at: int, **extras: Any) -> Any: ...

    def queue(self, telefone: str, at: int, **extras: Any) -> Any: ...

    def leave(self, telefone: str, at: int, **extras: Any) -> Any: ...

    def note(self, ramal: str, telefone: str, at: int, **extras: Any) -> Any: ...

    def end(self, ramal: str, telefone: str, at: int, **extras: Any) -> Any: ...

    def accepted_order(self, extension: str, number: str, at: int) -> Any: ...

    def over(self, call_id: int, at: int) -> Any: ...

    def sweep(self, at: int) -> Any:
        """Do at ``at`` what maintenance does: give up calls without an end, which is waited for for four hours."""


def cases() -> Iterable[Case]:
    found: list[Case] = []
    for line in Path(__file__).with_name("pairing.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found.append(Case(line[3:]))
        elif line.startswith("= "):
            found[-1].calls.append(line[2:])
        elif line and not line.startswith("#"):
            found[-1].events.append(line)
    return found


CASES = list(cases())


def play(player: Player, line: str) -> None:
    """Send what a line says."""
    words = [word for word in line.split() if "=" not in word and word[0] != "@"]
    more = dict(word.split("=", 1) for word in line.split() if "=" in word)
    at = T0 + int(re.search(r"@(-?\d+)", line)[1]) * 1000  # type: ignore[index]
    extras: dict[str, object] = {"call_ref": more.get("ref")}
    if "said" in more:
        extras["occurred_at"] = T0 + int(more["said"]) * 1000
    for name in ("queue", "line", "cost"):
        extras |= {name: more[name]} if name in more else {}
    if "wait" in more:
        extras["waited_s"] = int(more["wait"])
    if words[0] == "start":
        also = tuple(more["also"].split(",")) if "also" in more else ()
        extras |= {"rings_anew": True} if "anew" in more else {}
        player.start(words[1], words[2], at, also_rings=also, **extras)
    elif words[0] == "answer":
        player.answer(words[1], words[2], at, **extras)
    elif words[0] in ("hold", "resume"):
        getattr(player, words[0])(words[1], words[2], at, **extras)
    elif words[0] == "queue":
        player.queue(words[1], at, **extras)
    elif words[0] in ("leave", "abandon"):
        player.leave(words[1], at, abandoned=words[0] == "abandon", **extras)
    elif words[0] == "note":
        ramal, telefone = ("" if word == "-" else word for word in words[1:3])
        player.note(ramal, telefone, at, recording_url=more.get("rec"), **extras)
    elif words[0] == "transfer":
        extras |= {"attended": more["att"] == "1"} if "att" in more else {}
        player.transfer(words[1], words[2], words[3], at, **extras)
    elif words[0] == "end":
        dur = more.get("dur")
        extras |= {"duration_s": int(dur) if dur else None, "result": more.get("res")}
        extras |= {"started_at": T0 + int(more["began"]) * 1000} if "began" in more else {}
        extras |= {"goes_on": more["goes_on"] == "1"} if "goes_on" in more else {}
        ramal = "" if words[1] == "-" else words[1]
        player.end(ramal, words[2], at, recording_url=more.get("rec"), **extras)
    elif words[0] == "order":
        player.accepted_order(words[1], words[2], at)
    elif words[0] == "over":
        player.over(int(words[1]), at)
    else:
        player.sweep(at)


GOING_ON = ("waiting", "ringing", "talking")


def _is_queued(call: Any) -> bool:
    return call.queued_at is not None and call.queue_left_at is None


def shown(call: Any) -> str:
    """A call as a line of the file has it."""
    parts = [call.extension or "-", call.number or "-", call.status]
    if call.status in ("ended", "elsewhere"):
        parts.append("-" if call.duration_s is None else str(call.duration_s))
    if call.paired_by and call.status == "ended":
        parts.append(call.paired_by)
    parts += [f"rec={call.recording_url}"] if call.recording_url else []
    parts += [f"rang={call.ring_s}"] if call.answered_at else []
    parts += [f"talked={call.talk_s}"] if call.talk_s is not None else []
    parts += [f"by={call.answered_by}"] if call.status == "elsewhere" and call.answered_by else []
    parts += [f"waited={call.waited_s}"] if call.waited_s is not None else []
    parts += ["queued"] if call.status in GOING_ON and _is_queued(call) else []
    parts += ["held"] if call.held_at is not None else []
    parts += [f"result={call.result}"] if call.result in ("abandoned", "voicemail") else []
    parts += [f"to={call.transferred_to}"] if call.transferred_to else []
    parts += ["attended"] if call.transfer == "attended" else []
    parts += ["group"] if call.group_id else []
    parts += ["missed"] if call.missed else []
    parts += ["noted"] if call.note_count else []
    if len(call.legs) > 1:
        parts.append("legs=" + ",".join(f"{leg.extension}:{leg.result or 'open'}" for leg in call.legs))
    return " ".join(parts)
