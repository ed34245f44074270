"""Migrations of after 0.1.0's successor bring only what nodes of the version before go on beside (CONTRIBUTING.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.revisions import MIGRATIONS

RULED_FROM = 47
"""Those of before were made before several nodes could run beside each other."""
BREAKING: dict[str, str] = {}
"""Files of migrations that break the rule and say so in the database (``oldest_schema``), with the reason."""
ADDING = {"add_column", "create_table", "create_index", "get_bind", "get_context", "execute", "bulk_insert"}
"""What a migration may call of ``op``; ``execute`` of statements that begin as ``STATEMENTS``."""
STATEMENTS = ("INSERT INTO", "CREATE TABLE", "CREATE INDEX", "CREATE SEQUENCE", "COMMENT ON")
LARGE = {"events", "calls", "orders", "attempts", "outbox", "legs", "notes"}
"""Tables of which an index takes long, while nobody may write to them."""


def trouble(source: str) -> list[str]:
    """Return what is wrong with the ``upgrade`` of a migration."""
    (upgrade,) = [
        part for part in ast.parse(source).body if isinstance(part, ast.FunctionDef) and part.name == "upgrade"
    ]
    made = {_text(call, 0) for call in _calls(upgrade) if _name(call) == "create_table"}
    return [found for call in _calls(upgrade) for found in _trouble(call, made)]


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("op."):
            yield node


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _text(call: ast.Call, place: int) -> str:
    found = call.args[place] if len(call.args) > place else None
    return found.value if isinstance(found, ast.Constant) and isinstance(found.value, str) else ""


def _trouble(call: ast.Call, made: set[str]) -> Iterator[str]:
    name = _name(call)
    if name not in ADDING:
        yield f"op.{name}: nodes of the version before do not survive it"
    if name == "execute" and not _text(call, 0).lstrip().upper().startswith(STATEMENTS):
        yield f"op.execute: {_text(call, 0) or 'no plain text'}"
    if name == "create_index" and _text(call, 1) in LARGE - made:
        yield f"op.create_index on {_text(call, 1)}: nobody may write meanwhile"
    if name == "add_column" and _is_demanding(call):
        yield f"op.add_column on {_text(call, 0)}: not null, and no server_default for those who do not know it"


def _is_demanding(call: ast.Call) -> bool:
    (column,) = [each for each in call.args if isinstance(each, ast.Call)]
    told = {each.arg: each.value for each in column.keywords}
    nullable = told.get("nullable")
    is_filled = isinstance(nullable, ast.Constant) and nullable.value is False
    return is_filled and "server_default" not in told


def test_what_migrations_bring_is_survived_by_the_version_before() -> None:
    ruled = [path for path in sorted(MIGRATIONS.glob("versions/v*.py")) if int(path.name[1:5]) >= RULED_FROM]
    wrong = {path.name: trouble(path.read_text(encoding="utf-8")) for path in ruled if path.name not in BREAKING}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('op.drop_column("calls", "ref")', "op.drop_column"),
        ('op.drop_table("calls")', "op.drop_table"),
        ('op.rename_table("calls", "all_calls")', "op.rename_table"),
        ('op.alter_column("calls", "ref", type_=sa.Text())', "op.alter_column"),
        ('with op.batch_alter_table("calls") as batch: batch.drop_column("ref")', "op.batch_alter_table"),
        ('op.execute("ALTER TABLE calls RENAME TO all_calls")', "op.execute: ALTER"),
        ('op.execute("DROP TABLE calls")', "op.execute: DROP"),
        ("op.execute(STATEMENT)", "no plain text"),
        ('op.add_column("calls", sa.Column("x", sa.Text(), nullable=False))', "no server_default"),
        ('op.create_index("ix_calls_x", "calls", ["x"])', "op.create_index on calls"),
        ('op.create_unique_constraint("uq_calls", "calls", ["ref"])', "op.create_unique_constraint"),
    ],
)
def test_what_they_do_not_survive_is_found(line: str, said: str) -> None:
    (found,) = trouble(f"def upgrade() -> None:\n    {line}\n")
    assert said in found


@pytest.mark.parametrize(
    "line",
    [
        'op.add_column("calls", sa.Column("x", sa.Text()))',
        'op.add_column("calls", sa.Column("x", sa.Integer(), server_default="0", nullable=False))',
        'op.create_table("new", sa.Column("id", sa.Integer(), nullable=False)); op.create_index("i", "new", ["id"])',
        'op.create_index("ix_agents_x", "agents", ["x"])',
    ],
)
def test_what_they_survive_is_not(line: str) -> None:
    assert trouble(f"def upgrade() -> None:\n    {line}\n") == []


def test_the_rule_would_have_found_old_migrations() -> None:
    """It reads real ones: some of before several nodes change tables in ways that it forbids."""
    found = [trouble(path.read_text(encoding="utf-8")) for path in Path(MIGRATIONS).glob("versions/v*.py")]
    assert sum(map(bool, found)) > 3
