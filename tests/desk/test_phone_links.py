"""Links to numbers that the browser hands to the desk: shown, never dialled by themselves."""

import pytest

from gateway.desk.phone_links import number_in
from tests.desk.conftest import ANA, Browser, Office


@pytest.mark.parametrize(
    ("link", "number"),
    [
        ("tel:+55-47-3210-0123", "+55-47-3210-0123"),
        ("TEL:%2B554732100123", "+554732100123"),
        ("tel://4732100123", "4732100123"),
        ("tel:+554732100123;ext=5", "+554732100123"),
        ("tel:(47)%203210-0123", "(47) 3210-0123"),
        ("callto:32100123?call", "32100123"),
        ("web+callto:32100123", "32100123"),
        ("sip:3501@pbx.example", "3501"),
        ("(47) 3210-0123", "(47) 3210-0123"),
        ("tel:*55%2347", "*55#47"),
        ("  ", ""),
        ("tel:", ""),
        ("tel:47%0a32\u202e10", "473210"),
        ("9" * 200, "9" * 64),
    ],
)
def test_a_link_holds_a_number(link: str, number: str) -> None:
    assert number_in(link) == number


def test_a_link_shows_the_number_and_whose_it_is_and_dials_nothing(ana: Browser, office: Office) -> None:
    office.know("Metalúrgica Silva", ANA)
    shown = ana.get("/discar", query_string={"numero": "tel:+5547999998888"})
    assert shown.status_code == 200
    assert 'value="+5547999998888"' in shown.text
    assert "Metalúrgica Silva" in shown.text
    assert "Nada é discado antes do seu clique." in shown.text
    assert not office.exchange.orders


def test_the_click_dials_it(ana: Browser, office: Office) -> None:
    token = ana.token("/discar?numero=tel:4732100123")
    got = ana.post("/discar", data={"numero": "4732100123", "csrf": token}, headers={"HX-Request": "true"})
    assert got.status_code == 200
    assert len(office.exchange.orders) == 1


def test_a_link_that_is_no_number_is_shown_as_text_only(ana: Browser) -> None:
    shown = ana.get("/discar", query_string={"numero": 'tel:"><script>alert(1)</script>'}).text
    assert "<script>alert" not in shown


def test_a_link_of_somebody_who_is_not_logged_in_comes_after_the_login(browse) -> None:
    answer = browse().get("/discar?numero=tel:4732100123")
    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=/discar")


def test_the_desk_can_be_installed_and_takes_links_then(ana: Browser) -> None:
    assert 'rel="manifest" href="/manifest.webmanifest"' in ana.get("/").text
    got = ana.get("/manifest.webmanifest")
    assert got.mimetype == "application/manifest+json"
    described = got.get_json(force=True)
    assert described["protocol_handlers"] == [{"protocol": "tel", "url": "/discar?numero=%s"}]


def test_below_a_companys_path_the_manifest_stays_there(browse) -> None:
    described = browse(root="/t/acme").get("/manifest.webmanifest").get_json(force=True)
    assert described["start_url"] == "/t/acme/"
    assert described["protocol_handlers"][0]["url"] == "/t/acme/discar?numero=%s"
