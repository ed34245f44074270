"""The configuration ``every_table.toml``, made ready to run in a folder."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gateway.config.values import Table
from gateway.simulators import SIMULATORS, SimulatedAppliance

HERE = Path(__file__).parent
PORTS = {"soap": 18001, "xmlrpc": 18002, "url": 18003}
EVENTS_TOKEN, CRM_TOKEN = "events-t0ken", "crm-t0ken"


def write(
    folder: Path, appliances: Mapping[str, SimulatedAppliance] | None = None, *, changed: Iterable[tuple[str, str]] = ()
) -> Path:
    """Write the configuration and the files that it names; ``changed`` are texts put in the place of others."""
    (folder / "events.token").write_text(EVENTS_TOKEN)
    (folder / "crm.token").write_text(CRM_TOKEN)
    (folder / "erp.url").write_text(f"sqlite:///{folder / 'erp.db'}")
    (folder / "erp.db").touch()
    (folder / "lines").mkdir(exist_ok=True)
    (folder / "contas.csv").write_text(
        "codigo;nome;telefone;cnpj\n1;Loja;4732100123;\n2;Bar;4732100124;11222333000181\n"
    )
    (folder / "ring.json").write_text(
        '{"event": "newCall", "callId": "1", "direction": "in", "from": "4732100123", "to": "4733330000"}'
    )
    shutil.copytree(HERE / "presets", folder / "presets", dirs_exist_ok=True)
    text = (HERE / "every_table.toml").read_text(encoding="utf-8")
    ports = [(str(PORTS[name]), each.address.rpartition(":")[2]) for name, each in (appliances or {}).items()]
    for before, after in (*ports, *changed):
        assert before in text, before
        text = text.replace(before, after)
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def running() -> Iterator[dict[str, SimulatedAppliance]]:
    """The three simulated appliances that the configuration names, running inside the block."""
    made = {name: simulator() for name, simulator in SIMULATORS.items()}
    for appliance in made.values():
        appliance.start()
    try:
        yield made
    finally:
        for appliance in made.values():
            appliance.stop()


def tables(root: Table) -> Iterator[Table]:
    """``root`` and every table in it."""
    yield root
    for name in type(root).model_fields:
        yield from _inside(getattr(root, name))


def _inside(value: object) -> Iterator[Table]:
    if isinstance(value, Table):
        yield from tables(value)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _inside(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _inside(each)


def models(root: type[Table] = Table) -> Iterator[type[Table]]:
    """Every kind of table that there is."""
    for child in root.__subclasses__():
        yield child
        yield from models(child)


def plain(value: Any) -> Any:
    """Everything in ``value`` as plain data, secrets and peers' own settings too: presets make a class at each load."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Table):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, tuple | list) else value
