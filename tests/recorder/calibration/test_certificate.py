"""The certificate made on the spot: OpenSSL takes it for this machine's loopback, strictly, and for nothing else."""

import contextlib
import ssl
from pathlib import Path

import pytest

from racelog_recorder.calibration.certificate import loopback_certificate

# OpenSSL's numbers, which stay; its words change.
X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN = 19
X509_V_ERR_IP_ADDRESS_MISMATCH = 64


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("certificate") / "loopback.pem"
    path.write_text(loopback_certificate(), encoding="ascii")
    return path


def shaken_hands(pem: Path, name: str, trusted: Path | None = None) -> ssl.SSLObject:
    """Return the client's end of a connection in memory to a server with ``pem`` that is called ``name``."""
    client_context = ssl.create_default_context(cafile=str(trusted or pem))
    client_context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(pem)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for end in (client, server, client):
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    return client


def test_a_strict_client_trusts_it_for_loopback(pem: Path) -> None:
    assert shaken_hands(pem, "127.0.0.1").version() == "TLSv1.3"


def test_it_is_good_for_no_other_name(pem: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        shaken_hands(pem, "127.0.0.2")
    assert raised.value.verify_code == X509_V_ERR_IP_ADDRESS_MISMATCH


def test_each_is_trusted_alone(pem: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(loopback_certificate(), encoding="ascii")

    with pytest.raises(ssl.SSLCertVerificationError) as raised:
        shaken_hands(pem, "127.0.0.1", trusted=other)
    assert raised.value.verify_code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
