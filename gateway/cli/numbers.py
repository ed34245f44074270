"""``number``: how numbers are read, matched and dialled, for people step by step, for scripts as JSON lines."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from io import BufferedReader
from typing import Any, cast

import click

from gateway.cli.place import DataLocation, one_tenant, with_place, with_tenant
from gateway.cli.speech import _, language, said
from gateway.cli.terminal import tell
from gateway.config.tables import Config
from gateway.domain.numbering.numbers import Extensions, NumberPlan, Reading, ReadingStep, read
from gateway.domain.tenant import Appliance, Tenant
from gateway.errors import DialError, NotDiallable, NumberBlocked, UnknownAppliance
from gateway.handlers import dialled_by
from gateway.server.companies import tenants
from gateway.store.directory import Directory
from gateway.texts.text import Text, in_context, problem_of

_CHUNK = 65536
LABELS = READ, KIND, NATIONAL, E164, LOOKED_UP, ACCOUNT, DIALLED = (
    in_context("label", "read"),
    in_context("label", "kind"),
    in_context("label", "national"),
    in_context("label", "e164"),
    in_context("label", "looked up"),
    in_context("label", "account"),
    in_context("label", "dialled"),
)
# A comma inside /[0-9]{2,3}/ parts nothing.
_LISTED = re.compile(r"\s*(/(?:[^/]|/(?!\s*(?:,|$)))+/|[^,]*)\s*(?:,|$)")


@click.command("number")
@click.argument("values", nargs=-1, required=True, metavar="VALUE...")
@with_tenant
@click.option("--appliance", help="Explain dialling by this appliance.  [default: the tenant's]")
@click.option("--for-extension", "extension", metavar="E", default="", help="As this extension's branch and appliance.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; no look-up.")
@click.option("--area-code", metavar="NN", help="Read as a company in this area code would.")
@click.option("--extensions", metavar="LIST", help="... with these extensions, such as 3500-3599,2xx.")
@with_place
def number_command(
    place: DataLocation,
    values: tuple[str, ...],
    tenant: str | None,
    appliance: str | None,
    extension: str,
    as_json: bool,
    area_code: str | None,
    extensions: str | None,
) -> None:
    """Explain step by step how each VALUE is read, matched and dialled. '-' reads values from standard input.

    JSON holds: input, kind (extension, mobile, fixed, special, short, foreign, withheld, unknown), e164, national (what
    the CRM gets), candidates, steps. With --appliance also: appliance, dialled (null if refused), refusal, dial_steps.
    """
    config = place.load()
    name = one_tenant(config, tenant)
    rules = _standing_in(tenants(config)[name], area_code, extensions)
    chosen = _appliance(rules, appliance, extension)
    plan = rules.numbers_for(extension)
    if as_json:
        asked = chosen if appliance else None
        _print_lines(values, lambda value: _plain(read(value, plan)) | _order(asked, value, rules, extension))
        return
    with _directory(place, config) as directory:
        for value in (value for some in _each(values) for value in some):
            reading = read(value, plan)
            _explain(reading)
            _explain_matches(directory, name, reading)
            _explain_dialling(value, rules, chosen, extension)


@contextmanager
def _directory(place: DataLocation, config: Config) -> Iterator[Directory | None]:
    """Yield the directory, opened once for all values; None where there is no database yet, and none is made."""
    with closing(place.database(config)) as database:
        is_there = database.exists()
    if not is_there:
        yield None
        return
    with place.open() as gateway:
        yield gateway.directory


def _appliance(rules: Tenant, appliance: str | None, extension: str) -> Appliance | None:
    """Return the appliance asked for, else the one that dials for the extension. Raises ``UnknownAppliance``."""
    chosen = rules.appliance(appliance) if appliance else rules.appliance_for(extension)
    if appliance and chosen is None:
        raise UnknownAppliance(appliance, known=[known.name for known in rules.appliances])
    return chosen


def _standing_in(rules: Tenant, area_code: str | None, extensions: str | None) -> Tenant:
    """Return the tenant with another area code or other extensions. Raises ``click.BadParameter``."""
    try:
        listed = Extensions.parse(_split(extensions)) if extensions else rules.numbers.extensions
        return replace(rules, numbers=NumberPlan(area_code or rules.numbers.area_code, listed))
    except ValueError as error:
        raise click.BadParameter(said(problem_of(error))) from None


def _split(extensions: str) -> list[str]:
    """Return the patterns of a list."""
    found = [match[1].strip() for match in _LISTED.finditer(extensions)]
    return found[:-1] if len(found) > 1 and not found[-1] else found


# Values in ----------------------------------------------------------------------------------------


def _each(values: tuple[str, ...]) -> Iterator[Iterable[str]]:
    """Yield the values in order, as many at once as are there already."""
    for value in values:
        if value == "-":
            yield from _lines(cast(BufferedReader, sys.stdin.buffer))
        else:
            yield [_decoded(os.fsencode(value))]


def _lines(stream: BufferedReader) -> Iterator[list[str]]:
    """Yield the lines of ``stream`` in lists, each as soon as it has come: a script may wait for our answer."""
    rest, first = b"", True
    while chunk := stream.read1(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines and first:
            lines[0], first = lines[0].removeprefix(b"\xef\xbb\xbf"), False
        yield [_decoded(line.removesuffix(b"\r")) for line in lines]
    if rest:
        yield [_decoded(rest.removeprefix(b"\xef\xbb\xbf") if first else rest)]


def _decoded(line: bytes) -> str:
    """Decode ``line`` as UTF-8, else as Latin-1, in which lists from spreadsheets and old exchanges are written."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


# JSON lines out -----------------------------------------------------------------------------------


def _print_lines(values: tuple[str, ...], describe: Callable[[str], dict[str, Any]]) -> None:
    """Print one JSON object for each value, in UTF-8 whatever the terminal speaks, for it is scripts that read it."""
    out = sys.stdout.buffer
    for some in _each(values):
        lines = [json.dumps(describe(value), ensure_ascii=False) + "\n" for value in some]
        out.write("".join(lines).encode())
        out.flush()


def _plain(reading: Reading) -> dict[str, Any]:
    return {
        "input": reading.input,
        "kind": reading.kind,
        "e164": reading.e164,
        "national": reading.national,
        "candidates": reading.candidates,
        "steps": _plain_steps(reading.steps),
    }


def _order(chosen: Appliance | None, value: str, rules: Tenant, extension: str) -> dict[str, Any]:
    """Return how ``chosen`` would dial ``value``; nothing when none was asked for."""
    if chosen is None:
        return {}
    try:
        dialled = dialled_by(chosen, value, rules, extension)
    except DialError as error:
        there = _plain_steps(error.steps if isinstance(error, NumberBlocked) else ())
        return {"appliance": chosen.name, "dialled": None, "refusal": str(error), "dial_steps": there}
    steps = _plain_steps(dialled.steps)
    return {"appliance": chosen.name, "dialled": dialled.digits, "refusal": None, "dial_steps": steps}


def _plain_steps(steps: Iterable[ReadingStep]) -> list[dict[str, str]]:
    return [{"rule": step.rule, "text": step.text} for step in steps]


# Explained to people ------------------------------------------------------------------------------


def _row(label: Text, value: str) -> None:
    """Print a line of the explanation; the labels of a language have one width."""
    width = max(len(said(each)) for each in LABELS)
    tell(f"{said(label):{width}} {value}")


def _explain(reading: Reading) -> None:
    _row(READ, repr(reading.input))
    _print_steps(reading.steps)
    _row(KIND, _("{kind} (collect call)", kind=reading.kind) if reading.collect else reading.kind)
    _row(NATIONAL, reading.national or "-")
    _row(E164, reading.e164 or "-")


def _explain_matches(directory: Directory | None, tenant: str, reading: Reading) -> None:
    _row(LOOKED_UP, ", ".join(reading.candidates) or _("- (not looked up)"))
    if directory is None:
        _row(ACCOUNT, _("- (no database here yet)"))
        return
    owners = directory.owners(tenant, reading.candidates)
    for owner in owners:
        _row(ACCOUNT, f"{owner.name} ({owner.code}){' - ' + owner.contact if owner.contact else ''}")
    if not owners:
        _row(ACCOUNT, _("unknown number"))


def _explain_dialling(value: str, rules: Tenant, chosen: Appliance | None, extension: str) -> None:
    if chosen is None:
        _row(DIALLED, _("- (the tenant has no appliance)"))
        return
    try:
        dialled = dialled_by(chosen, value, rules, extension)
    except NotDiallable as error:
        _row(DIALLED, f"- ({error.said(language())})")
        return
    except NumberBlocked as error:
        _print_steps(error.steps)
        _row(DIALLED, f"- ({error.said(language())})")
        return
    _print_steps(dialled.steps)
    _row(DIALLED, _("{digits} by {appliance!r}", digits=dialled.digits, appliance=chosen.name))


def _print_steps(steps: Iterable[ReadingStep]) -> None:
    for step in steps:
        tell(f"  - {said(step.sentence)}  [{step.rule}]")
