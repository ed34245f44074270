"""Everything that can go wrong, as one tree.

    GatewayError
    ├── ConfigError            100  the configuration cannot be used
    │   ├── UnknownAdapter     110
    │   ├── UnknownPreset      115
    │   ├── AdapterError       120  an appliance's settings do not make a request
    │   ├── UnknownSource      130
    │   └── DataUnusable       140  the data folder or its database cannot be used
    │       └── NewerSchema    145
    ├── RequestError           200  what came in cannot be understood
    │   ├── MissingParameter   210
    │   ├── UnknownParameter   215
    │   ├── BadParameter       220
    │   ├── UnknownOperation   230
    │   ├── MalformedRequest   240
    │   ├── WrongEnvelope      245
    │   ├── NotUnderstood      247
    │   ├── TooLarge           250
    │   ├── WrongMethod        260
    │   ├── WrongContentType   265
    │   ├── UnknownTenant      270
    │   ├── NotReplayable      280
    │   └── OwnerChanged       290
    ├── AccessError            300  who asks may not
    │   ├── AddressNotAllowed  310
    │   ├── MetricsNotAllowed  315
    │   ├── CredentialsNeeded  320
    │   ├── BadCredentials     330
    │   ├── TooManyAttempts    340
    │   └── ForeignPage        350
    ├── BusyError              400  try again later; nothing was stored
    │   ├── QueueFull          410
    │   ├── StoreUnavailable   420
    │   ├── StoreReplaced      425
    │   ├── Stopping           430
    │   ├── TooManyScreens     440
    │   ├── LoginsBusy         445
    │   ├── TooManyConnections 450
    │   ├── TooManyOrders      460
    │   └── TooManyRequests    470
    ├── DialError              500  a call cannot be placed
    │   ├── NoAppliance        510
    │   ├── UnknownAppliance   520
    │   ├── NotDiallable       530
    │   ├── KeyTaken           540
    │   ├── NothingToHangUp    550
    │   └── NumberBlocked      560
    ├── SourceError            600  a source of the directory cannot be read
    │   └── ImportRunning      610
    └── InternalError          900  a defect of ours; the log has the details

A class fixes its code, HTTP status and whose fault it is (``client`` or ``server``); the raiser supplies
facts. ``str()``
is the sentence a client sees (Portuguese on the wire, English for what administrators configure); ``hint`` says what to
do. Codes are never reused. Transports translate an error once, each in one small table.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import ClassVar, Literal

from gateway.domain.numbering.reading import ReadingStep


class GatewayError(Exception):
    """The root: every error this product raises on purpose."""

    code: ClassVar[int] = 0
    http_status: ClassVar[int] = 500
    side: ClassVar[Literal["client", "server"]] = "server"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip() if self.hint else self.message


class ConfigError(GatewayError):
    """The configuration cannot be used; the message names file, key, what came and what was expected."""

    code = 100


class UnknownAdapter(ConfigError):
    """No installed adapter has this name, or several claim it."""

    code = 110

    def __init__(self, name: str, *, known: list[str], nearest: str | None, duplicates: int = 0) -> None:
        if duplicates > 1:
            message = f"adapter {name!r} is registered {duplicates} times"
            hint = "Uninstall all but one of the packages that provide it."
        else:
            message = f"there is no adapter {name!r}; installed: {', '.join(known) or 'none'}"
            hint = f"Did you mean {nearest!r}?" if nearest else ""
        super().__init__(message, hint=hint)
        self.nearest = nearest


class UnknownPreset(ConfigError):
    """No preset has this name."""

    code = 115

    def __init__(self, name: str, *, nearest: str | None) -> None:
        hint = f"Did you mean {nearest!r}?" if nearest else "See them all with 'cti-gateway presets'."
        super().__init__(f"there is no preset {name!r}.", hint=hint)
        self.nearest = nearest


class AdapterError(ConfigError):
    """An appliance's settings do not make a request (a template names an unknown field, a WSDL does not load)."""

    code = 120


class UnknownSource(ConfigError):
    """No installed source of the directory has this name, or several claim it."""

    code = 130

    def __init__(self, name: str, *, known: list[str], nearest: str | None, duplicates: int = 0) -> None:
        if duplicates > 1:
            message = f"source {name!r} is registered {duplicates} times"
            hint = "Uninstall all but one of the packages that provide it."
        else:
            message = f"there is no source {name!r}; installed: {', '.join(known) or 'none'}"
            hint = f"Did you mean {nearest!r}?" if nearest else ""
        super().__init__(message, hint=hint)
        self.nearest = nearest


class DataUnusable(ConfigError):
    """The data folder or its database cannot be used: damaged, read-only, full, held by somebody else."""

    code = 140


class NewerSchema(DataUnusable):
    """The database was used by a newer version of the gateway; ``known`` is the schema of this one."""

    code = 145

    def __init__(self, path: str, found: str, *, known: str) -> None:
        super().__init__(
            f"{path} has the schema {found} of a newer version of cti-gateway; this version's is {known}.",
            hint="Start that version again, or restore the backup that was made before the upgrade.",
        )


class RequestError(GatewayError):
    """What came in cannot be understood."""

    code = 200
    http_status = 400
    side = "client"


class MissingParameter(RequestError):
    """A required parameter is absent or empty."""

    code = 210

    def __init__(self, name: str, *, expected: str = "") -> None:
        hint = f"Informe {name}={expected}." if expected else ""
        super().__init__(f"parâmetro obrigatório ausente ou vazio: {name}.", hint=hint)
        self.name, self.value, self.expected = name, "", expected


class UnknownParameter(RequestError):
    """A parameter that this address does not take: ignoring it would answer another question than was asked."""

    code = 215

    def __init__(self, name: str, *, known: Sequence[str]) -> None:
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        meant = f"Quis dizer {near[0]!r}? " if near else ""
        hint = f"{meant}Parâmetros daqui: {', '.join(known)}." if known else "Este endereço não tem parâmetros."
        super().__init__(f"parâmetro desconhecido: {name[:80]!r}.", hint=hint)
        self.name = name


class BadParameter(RequestError):
    """A parameter has a value that cannot be used."""

    code = 220

    def __init__(self, name: str, value: str, *, expected: str) -> None:
        shown = value if len(value) <= 80 else value[:77] + "..."
        super().__init__(f"parâmetro {name} inválido: recebido {shown!r}, esperado {expected}.")
        self.name, self.value, self.expected = name, value, expected


class UnknownOperation(RequestError):
    """The operation (or path) asked for does not exist."""

    code = 230
    http_status = 404

    def __init__(self, name: str, *, known: list[str]) -> None:
        super().__init__(f"operação desconhecida: {name!r}.", hint=f"Operações: {', '.join(known)}.")


class MalformedRequest(RequestError):
    """The body is not what the protocol asks for."""

    code = 240


class WrongEnvelope(RequestError):
    """The SOAP envelope is of a version that is neither 1.1 nor 1.2; both answer that with status 500."""

    code = 245
    http_status = 500

    def __init__(self, namespace: str, *, known: tuple[str, ...]) -> None:
        shown = namespace if len(namespace) <= 80 else namespace[:77] + "..."
        hint = f"Envie um envelope no namespace {' ou '.join(known)}."
        super().__init__(f"versão de SOAP desconhecida: o envelope está no namespace {shown!r}.", hint=hint)


class NotUnderstood(RequestError):
    """The SOAP request has header blocks that must be understood, and are not; ``names`` are their qualified names.

    Both versions of SOAP answer that with status 500.
    """

    code = 247
    http_status = 500

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        shown = ", ".join(repr(name[:80]) for name in names[:3])
        hint = 'Envie sem ele ou com mustUnderstand="0", ou ajuste must_understand em [tenants.NOME.listener].'
        super().__init__(f"o cabeçalho SOAP {shown} exige ser entendido (mustUnderstand) e não é.", hint=hint)


class TooLarge(RequestError):
    """The body exceeds the limit."""

    code = 250
    http_status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"corpo da requisição maior que o limite de {limit} bytes.")


class WrongMethod(RequestError):
    """The HTTP method is not served here."""

    code = 260
    http_status = 405

    def __init__(self, method: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(f"método {method} não aceito aqui.", hint=f"Use {' ou '.join(allowed)}.")
        self.allowed = allowed


class WrongContentType(RequestError):
    """The body's media type is not one this address understands."""

    code = 265
    http_status = 415


class UnknownTenant(RequestError):
    """No tenant answers to this host name or path."""

    code = 270
    http_status = 404

    def __init__(self, asked: str) -> None:
        super().__init__(
            f"empresa desconhecida: {asked!r}.",
            hint="Confira o nome do host ou use o caminho /t/EMPRESA/.",
        )


class NotReplayable(RequestError):
    """An entry of the traffic log that cannot be sent again: no event, not whole, or too old a layout."""

    code = 280
    http_status = 409

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} não pode ser reenviado.", hint="Só eventos de ligação recebidos e guardados inteiros podem."
        )


class OwnerChanged(RequestError):
    """Somebody else has said meanwhile whose a number is; ``seen`` names what they said, for who says it again.

    ``added``: the account has the number only because somebody said so at the desk. Times are milliseconds.
    """

    code = 290
    http_status = 409

    def __init__(
        self, *, account_id: int, account: str, by: str | None, at: int | None, added: bool, seen: str
    ) -> None:
        super().__init__(f"{by or 'O cadastro'} deu este número à conta {account} enquanto isso.")
        self.account_id, self.account, self.by, self.at = account_id, account, by, at
        self.added, self.seen = added, seen


CHECK_PROXY = "Confira server.trusted_proxies e o X-Forwarded-For que o proxy envia"


class AccessError(GatewayError):
    """Who asks may not."""

    code = 300
    http_status = 403
    side = "client"


class AddressNotAllowed(AccessError):
    """The client's address may not send events and it gave no valid token."""

    code = 310

    def __init__(self, address: str, proxy: str = "") -> None:
        """``proxy``: what is to be said of the proxy that passed the request on."""
        named, way = (f"{address} ({proxy})", CHECK_PROXY) if proxy else (address, "Inclua-o em events.allow")
        super().__init__(
            f"o endereço {named} não pode enviar eventos a esta empresa.", hint=f"{way} ou envie o token da empresa."
        )


class MetricsNotAllowed(AccessError):
    """The client's address may not read the metrics."""

    code = 315

    def __init__(self, address: str, proxy: str = "") -> None:
        """``proxy``: what is to be said of the proxy that passed the request on."""
        named, way = (f"{address} ({proxy})", CHECK_PROXY) if proxy else (address, "Inclua-o em server.metrics_allow")
        super().__init__(f"o endereço {named} não pode ler as métricas.", hint=f"{way}.")


class CredentialsNeeded(AccessError):
    """Nothing identifies who asks."""

    code = 320
    http_status = 401

    def __init__(self, *, by_token: bool = True) -> None:
        """``by_token``: whether the company's token would do as well as an agent's login."""
        login = "Envie usuário e senha de um agente (HTTP Basic)"
        super().__init__("credenciais ausentes.", hint=f"{login} ou o token da empresa." if by_token else f"{login}.")


class BadCredentials(AccessError):
    """What was given to identify who asks is wrong; it does not say which part."""

    code = 330
    http_status = 401

    def __init__(self) -> None:
        super().__init__("usuário, senha ou token inválido.")


class TooManyAttempts(AccessError):
    """Too many wrong passwords in a short time."""

    code = 340
    http_status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("tentativas demais.", hint=f"Tente de novo em {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class ForeignPage(AccessError):
    """A browser says that a page of another site makes this request, and it gave no valid token."""

    code = 350

    def __init__(self, header: str) -> None:
        super().__init__(
            f"eventos não são aceitos de páginas de outros sites ({header}).",
            hint="Envie-os da própria central, ou com o token da empresa.",
        )


class BusyError(GatewayError):
    """Try again later; nothing was acknowledged."""

    code = 400
    http_status = 503
    retry_after_s: ClassVar[int] = 1


class QueueFull(BusyError):
    """More is waiting to be written than the queue may hold."""

    code = 410

    def __init__(self, limit: int) -> None:
        super().__init__(f"fila de gravação cheia ({limit}).", hint="Nada foi gravado; envie de novo em instantes.")


class StoreUnavailable(BusyError):
    """The database refused the write, or did not confirm it in time: it may have been stored after all."""

    code = 420

    def __init__(self) -> None:
        super().__init__("o banco de dados não confirmou a gravação.", hint="Envie de novo em instantes.")


class StoreReplaced(BusyError):
    """The database's file was deleted or replaced while it was open; what is written now would be lost."""

    code = 425
    retry_after_s = 30

    def __init__(self, name: str) -> None:
        super().__init__(
            f"o arquivo {name} foi apagado ou trocado com o gateway em funcionamento.",
            hint="Nada foi confirmado. Devolva o arquivo ao lugar, ou reinicie o gateway com o que está lá.",
        )
        self.name = name


class Stopping(BusyError):
    """The gateway is being stopped."""

    code = 430

    def __init__(self) -> None:
        super().__init__("o gateway está parando.", hint="Nada foi gravado; envie de novo em instantes.")


class TooManyScreens(BusyError):
    """As many screens are open as ``server.max_screens`` allows."""

    code = 440
    retry_after_s = 30

    def __init__(self, limit: int) -> None:
        super().__init__(f"limite de {limit} telas abertas atingido.", hint="Aumente server.max_screens.")


class LoginsBusy(BusyError):
    """As many logins are being verified as may be at once, of all or of this address; this one was not looked at."""

    code = 445
    retry_after_s = 2

    def __init__(self) -> None:
        super().__init__("logins demais ao mesmo tempo.", hint="Nada foi feito; tente de novo em instantes.")


class TooManyConnections(BusyError):
    """One client has more connections to the lenient port than its share, and as many waiting as may."""

    code = 450

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"conexões demais deste endereço: {limit} são atendidas ao mesmo tempo.",
            hint="Nada foi gravado; feche as conexões sem uso e envie de novo em instantes.",
        )


class TooManyOrders(BusyError):
    """As many orders wait for their appliance as threads may be spent on them; this one was not written down."""

    code = 460
    retry_after_s = 3

    def __init__(self, appliance: str, limit: int) -> None:
        super().__init__(
            f"{limit} pedidos de ligação já esperam pela central {appliance!r} ou por outras.",
            hint="Nada foi discado; tente de novo em instantes.",
        )


class TooManyRequests(BusyError):
    """One address has more requests under way on the main port than ``server.requests_per_address`` allows."""

    code = 470

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"requisições demais deste endereço: {limit} já estão em andamento.",
            hint="Nada foi gravado; espere pelas respostas e envie de novo.",
        )


class DialError(GatewayError):
    """A call cannot be placed."""

    code = 500
    http_status = 422
    side = "client"


class NoAppliance(DialError):
    """The tenant has no appliance that could dial."""

    code = 510

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"a empresa {tenant!r} não tem central configurada.",
            hint=f"Configure [tenants.{tenant}.appliances.NOME].",
        )


class UnknownAppliance(DialError):
    """The appliance asked for is not one of the tenant's."""

    code = 520

    def __init__(self, name: str, *, known: list[str]) -> None:
        super().__init__(f"central desconhecida: {name!r}.", hint=f"Centrais: {', '.join(known) or 'nenhuma'}.")


class NotDiallable(DialError):
    """There is nothing in the number that could be dialled; ``why`` says what stands against it, if anything does."""

    code = 530

    def __init__(self, number: str, *, why: str = "") -> None:
        told = f"{number[:80]!r} não pode ser discado: {why}." if why else f"não há o que discar em {number[:80]!r}."
        super().__init__(told, hint="Informe DDD + número ou um ramal.")


class KeyTaken(DialError):
    """The asker's own key of the order was given before, to another call."""

    code = 540

    def __init__(self, key: str) -> None:
        super().__init__(
            f"o pedido {key[:80]!r} já foi usado para outra ligação.",
            hint="Envie um id_pedido novo a cada ligação, e o mesmo só ao repetir a mesma.",
        )


class NothingToHangUp(DialError):
    """The call cannot be ended from here: it is over, was not placed by us, or its appliance cannot."""

    code = 550

    def __init__(self, call_id: int, why: str) -> None:
        super().__init__(f"a ligação {call_id} não pode ser desligada daqui: {why}.")


class NumberBlocked(DialError):
    """The dial plan forbids the number; ``by`` is the setting that does, with its note; ``steps`` lead there."""

    code = 560

    def __init__(self, number: str, by: str, steps: tuple[ReadingStep, ...] = ()) -> None:
        super().__init__(
            f"o plano de discagem não permite ligar para {number[:80]!r} ({by}).",
            hint="Se a ligação for necessária, fale com quem administra a telefonia.",
        )
        self.steps = steps


class SourceError(GatewayError):
    """A source of the directory (a file, a database, a CRM) cannot be read, or not to its end."""

    code = 600
    http_status = 502


class ImportRunning(SourceError):
    """The same source is being imported already."""

    code = 610
    http_status = 409

    def __init__(self, source: str) -> None:
        super().__init__(f"já há uma importação de {source!r} em andamento.", hint="Espere que ela termine.")


class InternalError(GatewayError):
    """A defect of ours; the log has the details, the client gets none of them."""

    code = 900

    def __init__(self, incident: str) -> None:
        super().__init__(f"erro interno; procure {incident} no registro do gateway.")
