from simulator.privacy.sources import keyed_source, system_source


def test_the_same_secret_and_labels_give_the_same_bytes() -> None:
    one, other = keyed_source(b"secret", "noise", "1"), keyed_source(b"secret", "noise", "1")
    assert one(7) + one(25) == other(32)


def test_other_secrets_and_labels_give_other_bytes() -> None:
    sources = [
        keyed_source(b"secret", "noise", "1"),
        keyed_source(b"secrets", "noise", "1"),
        keyed_source(b"secret", "noise1"),
        keyed_source(b"secret", "nois", "e1"),
        keyed_source(b"secret"),
    ]
    assert len({source(32) for source in sources}) == len(sources)


def test_a_source_gives_new_bytes_each_time() -> None:
    source = keyed_source(b"secret", "noise")
    assert source(16) != source(16)
    assert system_source(16) != system_source(16)
    assert source(0) == b""
