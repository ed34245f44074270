"""Keys of gateways on site: found by their hash, replaced, revoked."""

from sqlalchemy import select

from gateway.store.onsite.sites import LONGEST_STATUS, OnsiteSite, OnsiteSites, hash_of
from gateway.store.tables import onsite_sites
from tests.store.conftest import T0, Store


def test_a_key_opens_its_own_site_and_only_its_hash_is_kept(store: Store, sites: OnsiteSites) -> None:
    key, other = sites.add("acme", "escritorio", T0), sites.add("beta", "escritorio", T0)
    found = sites.by_key(key)
    assert found is not None
    assert (found.tenant, found.name, key.startswith("ctis_")) == ("acme", "escritorio", True)
    assert (sites.by_key(key[:-1]), sites.by_key(""), sites.by_key(other) == found) == (None, None, False)
    with store.engine.connect() as connection:
        kept = connection.execute(select(onsite_sites)).all()
    assert {row.key_hash for row in kept} == {hash_of(key), hash_of(other)}
    assert key not in str(kept)


def test_a_new_key_takes_the_place_of_the_old_one(sites: OnsiteSites) -> None:
    old, new = sites.add("acme", "escritorio", T0), sites.add("acme", "escritorio", T0 + 1)
    assert sites.by_key(old) is None
    assert sites.by_key(new) is not None
    assert len(sites.all()) == 1


def test_a_key_that_was_revoked_opens_nothing_until_a_new_one_is_made(sites: OnsiteSites) -> None:
    key = sites.add("acme", "escritorio", T0)
    assert not sites.revoke("beta", "escritorio", T0 + 1)
    assert sites.revoke("acme", "escritorio", T0 + 1)
    assert not sites.revoke("acme", "escritorio", T0 + 2)
    assert sites.by_key(key) is None
    assert [site.is_revoked for site in sites.all("acme")] == [True]
    assert sites.by_key(sites.add("acme", "escritorio", T0 + 3)) is not None


def test_a_site_is_connected_while_a_request_for_orders_lasts(sites: OnsiteSites, site: OnsiteSite) -> None:
    def connected(at: int) -> bool:
        found = sites.of("acme", "escritorio")
        return found is not None and found.is_connected(at)

    assert not connected(T0)
    sites.seen(site, T0, poll="first", polled_until=T0 + 100)
    assert (connected(T0 + 99), connected(T0 + 100)) == (True, False)
    sites.seen(site, T0, poll="second", polled_until=T0 + 200)
    sites.left(site, "first")  # an older request that ends says nothing of a newer one
    assert connected(T0 + 150)
    sites.left(site, "second")
    assert not connected(T0 + 150)
    sites.seen(site, T0, poll="third", polled_until=T0 + 200)
    sites.revoke("acme", "escritorio", T0)
    assert not connected(T0 + 150)


def test_what_a_site_says_of_itself_is_bounded(sites: OnsiteSites, site: OnsiteSite) -> None:
    sites.seen(site, T0, status={"waiting": 3}, ahead_ms=-5000, address="10.0.0.1")
    (found,) = sites.all()
    assert (found.status, found.ahead_ms, found.address, found.seen_at) == ({"waiting": 3}, -5000, "10.0.0.1", T0)
    sites.seen(site, T0, status={"long": "x" * LONGEST_STATUS})
    assert sites.all()[0].status == {}
