import pytest

from agent.access.errors import BadLimits, RateExceeded
from agent.access.rates import Rate, Rates, parse_rate


@pytest.fixture
def clock(monkeypatch):
    """The time, to be set; in the middle of no window."""
    now = [1_000_000_020.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


def refused(rates, *asked):
    with pytest.raises(RateExceeded) as caught:
        rates.count(list(asked))
    return caught.value


def test_requests_above_the_rate_are_refused(clock):
    rates, rate = Rates(), Rate("key", "3/minute", "a")
    left = [rates.count([rate])["RateLimit"] for _ in range(3)]
    assert [one.split(";")[1] for one in left] == ["r=2", "r=1", "r=0"]
    error = refused(rates, rate)
    assert "3 requests in 60 s" in str(error)
    assert 1 <= int(error.headers["Retry-After"]) <= 120
    assert error.headers["RateLimit-Policy"] == '"key-60";q=3;w=60'
    clock[0] += 120
    assert rates.count([rate])["RateLimit"].startswith('"key-60";r=2')


def test_senders_do_not_share_a_rate(clock):
    rates = Rates()
    for sender in ("a", "b"):
        rates.count([Rate("key", "1/minute", sender)])
    refused(rates, Rate("key", "1/minute", "a"))
    rates.count([Rate("tenant", "1/minute", "a")])


def test_the_tightest_limit_is_told(clock):
    rates = Rates()
    asked = [Rate("key", "5/second; 100/hour", "a"), Rate("tenant", "2/minute", "t")]
    told = rates.count(asked)
    assert told["RateLimit"].startswith('"tenant-60";r=1')
    assert told["RateLimit-Policy"] == (
        '"key-1";q=5;w=1, "key-3600";q=100;w=3600, "tenant-60";q=2;w=60'
    )
    rates.count(asked)
    assert "this tenant" in str(refused(rates, *asked))


def test_without_rates_nothing_is_told():
    assert Rates().count([]) == {}


@pytest.mark.parametrize("text", ["", "many", "5/fortnight", "-1/second", "5", "five/minute"])
def test_other_rates_are_refused(text):
    with pytest.raises(BadLimits, match="is no rate; expected such as 60/minute"):
        parse_rate(text)


@pytest.mark.parametrize("storage", ["nowhere://x", "redis", ""])
def test_unknown_storage_is_refused(storage):
    with pytest.raises(BadLimits, match="ATTUNE_LIMITS_STORAGE"):
        Rates(storage)


@pytest.fixture
def redis(monkeypatch):
    """The URL of a server that is in memory, whoever connects to it."""
    redis = pytest.importorskip("redis")
    fakeredis = pytest.importorskip("fakeredis", reason="needs fakeredis[lua]")
    server = fakeredis.FakeServer()

    def connected(url, **options):
        # What may hang has a limit.
        assert {"socket_timeout", "socket_connect_timeout"} <= options.keys()
        return fakeredis.FakeStrictRedis(server=server)

    monkeypatch.setattr(redis, "from_url", connected)
    return "redis://counts.example:6379"


def test_processes_share_what_redis_counts(redis):
    processes = [Rates(redis) for _ in range(3)]
    assert all(rates.waits for rates in processes)
    rate = Rate("key", "3/hour", "a")
    left = [rates.count([rate])["RateLimit"].split(";")[1] for rates in processes]
    assert left == ["r=2", "r=1", "r=0"]
    for rates in processes:
        assert "3 requests in 3600 s" in str(refused(rates, rate))
    processes[0].count([Rate("key", "3/hour", "b")])


def test_lost_storage_lets_requests_through(caplog):
    pytest.importorskip("redis")
    rates = Rates("redis://127.0.0.1:1/0")
    assert rates.waits
    assert rates.count([Rate("key", "1/minute", "a")]) == {}
    assert rates.count([Rate("key", "1/minute", "a")]) == {}
    assert "requests are not counted" in caplog.text
