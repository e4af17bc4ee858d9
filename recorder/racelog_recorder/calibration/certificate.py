"""A certificate for this machine's own loopback, made on the spot: the calibration's server needs one to speak TLS.

It keeps no secret worth having: it lives for a calibration of two seconds, towards ourselves, and is trusted by that one
connection alone.
"""


def loopback_certificate() -> str:
    """Return a fresh key, its certificate for 127.0.0.1 and that of who signed it, in PEM. Cost: 0.1 s, most of it to load."""
    import trustme  # noqa: PLC0415 - loads all of `cryptography`; engines without TLS need none

    authority = trustme.CA(organization_name="racelog calibration")
    leaf = authority.issue_cert("127.0.0.1")
    return (leaf.private_key_and_cert_chain_pem.bytes() + authority.cert_pem.bytes()).decode("ascii")
