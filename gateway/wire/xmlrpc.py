"""XML-RPC with introspection and ``system.multicall``.

Bodies pass the same guard as SOAP's and are read from its tree: a second parser would bring back the dangers
it keeps out. Faults carry our codes and sentences. Every answer is ASCII, because some old clients know no
other charset.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any
from xmlrpc.client import MAXINT, Fault, dumps

from gateway.errors import (
    BadCredentials,
    BadParameter,
    CredentialsNeeded,
    GatewayError,
    MalformedRequest,
    TooLarge,
    UnknownOperation,
    UnknownTenant,
    WrongMethod,
)
from gateway.handlers import Reply
from gateway.texts.languages import Language
from gateway.texts.rendering import shown
from gateway.texts.text import Text
from gateway.traffic.told import tell, tell_unread
from gateway.wire.auth import query_token
from gateway.wire.free_fields import CAMPOS, FieldCollector, as_text, flattened
from gateway.wire.guard import parse_xml, printable, read_body
from gateway.wire.intake import Intake, explain
from gateway.wire.operations import OPERATIONS, find
from gateway.wire.parameters import LOGIN, Operation, Parameter, by_position, hidden
from gateway.wire.repeats import keep_first, log_repeats
from gateway.wire.sites import Site
from gateway.wire.transport import Answer, Environ, answer, headers_of, language_of
from gateway.wire.xmlrpc_bodies import read_call

XML = "text/xml; charset=utf-8"
MAX_CALLS = 100
# Both numbers by name: less is a call by position whose values happen to look like names.
FEWEST_NAMES, FEWEST_PAIRED = 2, 4
NAMELESS = "-"
SYSTEM = ("system.listMethods", "system.methodHelp", "system.methodSignature", "system.multicall")


class XmlRpc:
    """The endpoint ``/xmlrpc``, POST only."""

    wire = "xmlrpc"

    def __init__(self, intake: Intake, *, max_body_bytes: int) -> None:
        self._intake = intake
        self._limit = max_body_bytes
        self._system: Mapping[str, Callable[[list[Any]], Any]] = {
            "system.listMethods": lambda params: [*OPERATIONS, *SYSTEM],
            "system.methodSignature": lambda params: signatures_of(named_operation(params)),
        }

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Read a call, have it performed and answer. Raises ``WrongMethod``, ``MalformedRequest``, ``TooLarge`` and
        what ``Intake.perform`` raises.
        """
        method = environ["REQUEST_METHOD"]
        if method != "POST":
            raise WrongMethod(method, allowed=("POST",))
        root = parse_xml(read_body(environ, self._limit), environ.get("CONTENT_TYPE", ""), namespaces=False)
        name, params = read_call(root)
        if name == "system.multicall":
            return render(self._call_many(params, environ, site))
        return render(self._call(name, params, environ, site))

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        """Answer with a fault; XML-RPC wants status 200 for it, except where HTTP itself has something to say."""
        status = error.http_status if is_http_matter(error) else 200
        return answer(status, XML, to_ascii(dumps(fault_of(error, language_of(environ)))), headers_of(error))

    def _call(self, name: str, params: list[Any], environ: Environ, site: Site) -> Any:
        if name == "system.methodHelp":
            return help_of(named_operation(params), language_of(environ))
        if name in self._system:
            return self._system[name](params)
        try:
            operation, texts = read_operation(name, params, environ, site)
        except GatewayError:
            if may_hold_login(name):
                tell_unread(environ)
            raise
        reply = self._intake.perform(operation, texts, environ, site, wire=self.wire, token=query_token(environ))
        return struct_of(reply, language_of(environ))

    def _call_many(self, params: list[Any], environ: Environ, site: Site) -> list[Any]:
        calls = params[0] if len(params) == 1 and isinstance(params[0], list) else None
        if calls is None or len(calls) > MAX_CALLS:
            raise MalformedRequest(Text("system.multicall expects a list of up to {most} calls.", most=MAX_CALLS))
        return [self._call_one(call, environ, site) for call in calls]

    def _call_one(self, call: Any, environ: Environ, site: Site) -> Any:
        try:
            name, params = (call.get("methodName"), call.get("params")) if isinstance(call, dict) else (None, None)
            if not isinstance(name, str) or not isinstance(params, list):
                raise MalformedRequest(Text("each call needs methodName and params."))
            return [self._call(name, params, environ, site)]
        except Exception as error:
            fault = fault_of(explain(error, environ, self.wire), language_of(environ))
            return {"faultCode": fault.faultCode, "faultString": fault.faultString}


def may_hold_login(name: str) -> bool:
    """Return whether a call of ``name`` may have a password among its values: one of an unknown name may."""
    operation = find(name.rpartition(".")[2])
    return operation is None or operation.takes_login


def read_operation(name: str, params: list[Any], environ: Environ, site: Site) -> tuple[Operation, dict[str, str]]:
    """Read the operation called and its parameters; its secrets are told. Raises ``UnknownOperation``,
    ``BadParameter``.
    """
    operation = find(name.rpartition(".")[2])
    if operation is None:
        raise UnknownOperation(name[:80], known=list(OPERATIONS))
    if len(params) >= FEWEST_PAIRED:
        params = paired(params, operation)
    pairs = list(pairs_in(params))
    positional = [text for written, text in pairs if not written]
    texts, repeated = read_parameters(pairs, positional, operation, site)
    log_repeats(repeated, environ)
    tell(environ, hidden([text for _, text in pairs], texts, operation))
    if not operation.takes_login:
        # Values that nobody reads, behind those that are read: a login, as the classic WConnect has it in each call.
        tell(environ, positional[len(operation.positional) :])
    return operation, texts


def read_parameters(
    pairs: Sequence[tuple[str, str]], positional: Sequence[str], operation: Operation, site: Site
) -> tuple[dict[str, str], Collection[str]]:
    """Return ``positional`` values in the operation's order, the others of ``pairs`` by their names; and the names of
    those that came with different values.
    """
    texts = by_position(positional, operation, operation.positional, site.appliances)
    repeated: set[str] = set()
    extras = FieldCollector(operation.spellings, keep_unknown=site.dialect.keep_unknown)
    for written, text in pairs:
        if name := operation.spellings.get(written.lower()):
            keep_first(texts, name, text, repeated)
        elif written not in ("", NAMELESS):
            extras.add(written, text)
    if CAMPOS in operation.names:
        extras.put_into(texts)
    if not operation.names and not texts and len(pairs) >= len(LOGIN):
        # A login under names that nobody knows: a test must not say that it is well.
        return by_position([text for _, text in pairs], operation, LOGIN, site.appliances), ()
    return texts, repeated


def pairs_in(params: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each value; those by position have the name ``""``. Of structures only free fields may be
    one, whose text is JSON then. Raises ``BadParameter``.
    """
    for value in params:
        for written, item in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(item, dict) and written.lower() == CAMPOS:
                yield written, as_text(flattened(item))
                continue
            if isinstance(item, dict | list):
                kind = "struct" if isinstance(item, dict) else "array"
                raise BadParameter(written[:80] or "params", kind, expected=Text("a text or number"))
            # A member without a name, as some clients write, is nothing that counts by its position.
            yield (written or NAMELESS if isinstance(value, dict) else ""), item or ""


def paired(params: list[Any], operation: Operation) -> list[Any]:
    """Return ``params``; where names and values alternate, behind an event's name or not (OpenSIPS), one struct of
    them.
    """
    start = len(params) % 2
    names, values = params[start::2], params[start + 1 :: 2]
    told = [isinstance(name, str) and name.lower() in operation.spellings for name in names]
    texts = all(isinstance(name, str) for name in names)
    return [dict(zip(names, values, strict=True))] if texts and sum(told) >= FEWEST_NAMES else params


def named_operation(params: list[Any]) -> Operation:
    """Return the operation that an introspection call asks about. Raises ``UnknownOperation``."""
    name = params[0] if params and isinstance(params[0], str) else ""
    operation = find(name)
    if operation is None:
        raise UnknownOperation(name[:80], known=list(OPERATIONS))
    return operation


def help_of(operation: Operation, language: Language) -> str:
    """Return what an operation is for, and below it a line for each parameter."""
    return "\n".join(shown(line, language) for line in (operation.help, *map(described, operation.parameters)))


def described(parameter: Parameter) -> Text:
    if parameter.required:
        return Text("{name}: {help}", name=parameter.name, help=parameter.help)
    return Text("{name} (optional): {help}", name=parameter.name, help=parameter.help)


def signatures_of(operation: Operation) -> list[list[str]]:
    """Return result type and parameter types: one for every number of extras left out, and one struct of all."""
    required = sum(parameter.required for parameter in operation.parameters)
    positional = [["struct"] + ["string"] * n for n in range(required, len(operation.positional) + 1)]
    return list(chain(positional, [["struct", "struct"]] if operation.parameters else []))


def struct_of(reply: Reply, language: Language) -> dict[str, Any]:
    # An int of XML-RPC has 32 bits.
    call_id = reply.call_id if reply.call_id <= MAXINT else str(reply.call_id)
    message = printable(shown(reply.message, language))
    return {"status": "OK" if reply.ok else "ERRO", "mensagem": message, "id": call_id}


def fault_of(error: GatewayError, language: Language) -> Fault:
    return Fault(error.code, printable(error.said(language)))


def is_http_matter(error: GatewayError) -> bool:
    return isinstance(error, TooLarge | WrongMethod | UnknownTenant | CredentialsNeeded | BadCredentials)


def render(value: Any) -> Answer:
    document = struct_document(**value) if isinstance(value, dict) else response_document(value)
    return answer(200, XML, document)


def response_document(value: Any) -> bytes:
    return to_ascii(dumps((value,), methodresponse=True))


# Named as the struct's members are, for the struct is what fills them.
def struct_document(status: str, mensagem: str, id: int | str) -> bytes:
    """Return the document of a ``struct_of``, as ``response_document`` writes it."""
    before, behind = around_id(status, mensagem, isinstance(id, int))
    return b"%b%b%b" % (before, str(id).encode(), behind)


@lru_cache(maxsize=1024)
def around_id(status: str, message: str, is_int: bool) -> tuple[bytes, bytes]:
    """Return what stands before and behind the call's number in the document of an answer.

    Remembered, because an answer is one of a few sentences, but for its number.
    """
    struct = {"status": status, "mensagem": message, "id": MAXINT if is_int else str(MAXINT)}
    # The last one: the sentence, which may have the same digits, stands before.
    before, _, behind = response_document(struct).rpartition(str(MAXINT).encode())
    return before, behind


def to_ascii(document: str) -> bytes:
    return document.encode("ascii", "xmlcharrefreplace")
