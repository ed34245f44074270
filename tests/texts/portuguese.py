"""Portuguese in the source: sentences that should be English ids, with their translations in a catalogue."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ACCENTS = re.compile(r"[áàâãéêíóôõúç]", re.IGNORECASE)
WORDS = re.compile(
    r"(?<![\w.#/@-])(para|pelo|pela|pelos|pelas|que|quem|qual|quando|onde|sem|com|uma|umas|uns|foi|foram|sua|seu|seus|suas|dos|das|"
    r"nos|nas|nesta|neste|desta|deste|esta|este|essa|esse|ainda|agora|outro|outra|outros|outras|mais|muito|muita|"
    r"ligada|chamada|chamadas|senha|entrar|sair|voltar|fechar|abrir|buscar|enviar|salvar|ligar|discar|"
    r"desligar|encerrada|perdida|perdidas|recebida|recebidas|feitas|todos|todas|nenhum|nenhuma|cadastro|conta|contas|criar|pedido|"
    r"desconhecido|desconhecida|recusou|recusado|tempo|resposta|demais|passo|"
    r"empresa|telefone|telefones|ramal|ramais|filtrar|limpar|nome|fila|linhas|guardado|guardar|discar|atender)"
    r"(?![\w=-]|[.]\w)",
    re.IGNORECASE,
)
WIRE_NAME = re.compile(r"[\w./:?&={}<>()#\[\]+*$^\\|,;%@!-]*", re.ASCII)
"""A name, a path, a pattern: no sentence. The contract with exchanges and CRMs is Portuguese."""


def found(path: Path) -> list[str]:
    """Return what looks like Portuguese in the strings of ``path``, each with its line."""
    text = path.read_text(encoding="utf-8")
    strings = _python(text) if path.suffix == ".py" else _marked_up(text, path.suffix)
    return [f"{line}: {string.strip()[:100]}" for line, string in strings if is_portuguese(string)]


def is_portuguese(string: str) -> bool:
    """Whether ``string`` has a word that is Portuguese, and is more than a name."""
    if ACCENTS.search(string):
        return True
    return not WIRE_NAME.fullmatch(string.strip()) and bool(WORDS.search(string))


def _python(text: str) -> Iterator[tuple[int, str]]:
    """Yield the strings of a module, but for its docstrings; those of commands are what ``--help`` shows."""
    tree = ast.parse(text)
    docstrings = {id(found) for node in ast.walk(tree) if (found := _docstring(node)) is not None}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def _docstring(node: ast.AST) -> ast.Constant | None:
    """Return the string that documents ``node``, or, as a statement of its own, the name above it."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value
    return None


COMMENTS = {
    ".html": re.compile(r"\{#.*?#\}", re.DOTALL),
    ".js": re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", re.DOTALL),
}
FIELD_NAME = re.compile(r"""\b(?:name|id|for)="[\w-]*"|"\w+":""")
"""Names of form fields are part of the contract, wherever a template has them."""
SCRIPT_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`")


def _marked_up(text: str, suffix: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a template without the names of fields, the strings of a script, without comments."""
    bare = COMMENTS[suffix].sub(lambda comment: "\n" * comment.group().count("\n"), text)
    for number, line in enumerate(bare.splitlines(), 1):
        for part in SCRIPT_STRING.findall(line) if suffix == ".js" else (line,):
            yield number, part.strip("\"'`") if suffix == ".js" else FIELD_NAME.sub("", part)
