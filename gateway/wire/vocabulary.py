"""Words of exchanges for the few things of which there are only some: yes and no, kinds of transfers, states of agents.

Compared without case, accents, spaces and signs.
"""

from collections.abc import Mapping

from gateway.domain.calls.results import squeezed
from gateway.domain.messages import AgentState
from gateway.errors import BadParameter
from gateway.texts.text import Listing

_ANSWERS: Mapping[bool, str] = {
    True: "sim s 1 true yes y verdadeiro abandonada abandonou abandoned abandon",
    False: "nao n 0 false no falso atendida answered",
}
_TRANSFERS: Mapping[bool, str] = {
    True: "assistida consulta consultada supervisionada attended supervised consultative warm",
    False: "cega direta semconsulta blind unattended cold direct",
}
# Asterisk's app_agent_pool and queues (facts/ami.md, 2.3), 3C Plus (facts/webhooks.md, 21), and what people write.
_AGENT_STATES: Mapping[AgentState, str] = {
    AgentState.LOGIN: "login loggedin logged logon logado entrou entrada agentlogin queuememberadded added",
    AgentState.LOGOUT: "logout loggedout logoff deslogado saiu saida agentlogoff queuememberremoved removed"
    " agentwasloggedout offline",
    AgentState.PAUSE: "pause paused pausa pausado pausada empausa queuememberpause notready break ausente away",
    AgentState.READY: "ready pronto pronta livre disponivel available idle agentisidle unpause unpaused despausa"
    " retorno voltou queuememberunpause online",
}
ANSWERS = {word: meant for meant, words in _ANSWERS.items() for word in words.split()}
TRANSFERS = {word: attended for attended, words in _TRANSFERS.items() for word in words.split()}
AGENT_STATES = {word: state for state, words in _AGENT_STATES.items() for word in words.split()}


def read_yes(text: str) -> bool:
    """Read ``sim``, ``nao``, ``1``, ``0`` and the like. Raises ``KeyError``."""
    return ANSWERS[squeezed(text)]


def read_attended(text: str) -> bool:
    """Read a transfer's kind: ``assistida`` is true, ``cega`` false. Raises ``KeyError``."""
    return TRANSFERS[squeezed(text)]


def read_agent_state(text: str) -> AgentState:
    """Read what an exchange says of an agent. Raises ``BadParameter``, for without it the event says nothing."""
    found = AGENT_STATES.get(squeezed(text))
    if found is None:
        raise BadParameter("estado", text, expected=Listing(("login", "logout", "pausa", "pronto")))
    return found
