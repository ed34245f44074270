"""Every page of the desk with data that is hard to lay out, and the looks under which browsers show it."""

import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from selenium import webdriver

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.desk import PASSWORD, listen

LONG = "Indústria-e-Comércio-de-Peças-" + "X" * 90 + " Metalúrgica & Filhos de São José do Vale do Rio Preto Ltda"
TURNED = "Ana \u202e6743 0012"
LONG_NUMBER = "4799999" + "8" * 17
CONFIG = f"""
[tenants.default]
title = "Distribuidora {"Y" * 40} de Autopeças do Norte"
[tenants.default.appliances.matriz]
adapter = "url"
title = "Central da matriz {"Z" * 40}"
url = "http://127.0.0.1:9/dial?from={{{{ extension }}}}&to={{{{ number }}}}&{"w" * 120}"
success = "^OK"
[tenants.default.appliances.filial]
adapter = "url"
url = "http://127.0.0.1:9/dial?from={{{{ extension }}}}&to={{{{ number }}}}"
success = "^OK"
[tenants.default.forwards.crm-da-matriz-{"f" * 40}]
adapter = "url"
url = "http://127.0.0.1:9/aviso?ramal={{{{ ramal }}}}&telefone={{{{ telefone }}}}&{"v" * 120}"
success = "^OK"
[tenants.default.directory.planilha]
source = "csv"
path = "contas.csv"
fields = {{ cidade = "Cidade ou município", situacao = "Situação", obs = "Observações" }}
[tenants.default.crm]
fields = ["situacao", "cidade", "obs"]
link = "https://crm.example/contas/{{{{ code }}}}"
contact_link = "https://crm.example/contatos?nome={{{{ contact }}}}"
new_link = "https://crm.example/novo?tel={{{{ international }}}}"
"""
ROWS = (
    ("1", LONG, "Carlos " + "E" * 80, "47999998888"),
    ("2", "Padaria São José", TURNED, "4733334444"),
    ("3", "Oficina", "", "4733334444"),
    ("4", "Sem número", "", "12"),
    ("C" * 60, "Código longo", "", "4733335555"),
)
PAGES = (
    "/",
    "/ligacoes",
    "/ligacoes?busca=padaria+fila:vendas+resultado:talvez+ontem",
    "/agora",
    "/indicadores",
    "/indicadores?periodo=semana",
    "/ligacoes/1",
    "/ligacoes/4",
    "/contas/1",
    "/pessoas",
    "/pessoas/agentes",
    "/pessoas/agentes/1",
    "/auditoria",
    "/senha",
    "/porque",
    "/porque?ramal=3501&quando=2026-01-01T10:00",
    f"/numero?valor={LONG_NUMBER}&ramal=3501",
    "/numero?valor=4733334444",
    "/numero",
    "/centrais",
    "/centrais/pedido?central=matriz&numero=4732100123",
    "/trafego",
    "/trafego/1",
    "/integracoes",
    "/integracoes/1",
    "/cadastro",
    "/cadastro/1",
    "/qualidade",
    "/qualidade?ver=sem-ddd",
    "/qualidade?ver=ilegiveis",
    "/qualidade?ver=repetidos",
    "/qualidade?ver=chamadores",
    "/qualidade?ver=corrigidos",
    "/extensao",
    "/discar?numero=tel:4799998888",
    "/painel",
    "/nada",
)
SIZES = {"phone": (360, 640, 1), "large phone": (420, 800, 1), "desktop": (1280, 800, 1), "zoomed 200 %": (640, 400, 2)}
"""Width and height in CSS pixels, and device pixels for each."""


def open_office(folder: Path) -> LiveGateway:
    """A gateway with long names and numbers, an import with refused lines, calls, and orders that failed."""
    (folder / "gateway.toml").write_text(CONFIG, encoding="utf-8")
    besides = ("Ativo", "Santa Rita do Passa Quatro " + "W" * 60, "Liga cedo. " * 80)
    lines = ["codigo;conta;contato;telefone;situacao;cidade;obs", *(";".join((*row, *besides)) for row in ROWS)]
    (folder / "contas.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    gateway = start_gateway(folder / "data", config=folder / "gateway.toml")
    gateway.cli("import", "run", "planilha")
    told = ("ana", "--extension", "3501", "--name", f"Ana {'M' * 60} Martins", "--role", "administrator")
    gateway.cli("agent", "add", *told, "--password-stdin", stdin=f"{PASSWORD}\n")
    for number in ("47999998888", "4733334444", LONG_NUMBER, "4733339999"):
        listen(gateway, "ConsultaRamal", ramal="3501", telefone=number)
        listen(
            gateway, "FinalizaLigacao", ramal="3501", telefone=number, url_audio=f"http://127.0.0.1:9/{'r' * 90}.wav"
        )
    for _ in range(2):
        click = f"{gateway.url}/click-to-call?ramal=3501&telefone=4733335555"
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(click, timeout=20).close()
    return gateway


def look(browser: webdriver.Chrome, size: str, scheme: str = "light") -> None:
    """Show the page at one of ``SIZES``, in the ``light`` or ``dark`` scheme."""
    width, height, scale = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
