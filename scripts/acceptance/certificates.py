"""Certificates for the checks of TLS, created by the command `openssl`."""

import ssl
import subprocess


def make(folder, name, kind="ec", authority=True):
    """Creates a self-signed certificate for 127.0.0.1 and its key: two PEM files. rustls accepts none of an authority as that
    of a server."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    algorithm = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
         *([] if authority else ["-addext", "basicConstraints=critical,CA:FALSE"])],
        check=True, capture_output=True, timeout=60,
    )
    key.chmod(0o600)
    return certificate, key


def context(*certificates, version=None):
    """The TLS context of a client that trusts only these certificates; optionally with one version of TLS."""
    made = ssl.create_default_context(cadata="".join(file.read_text() for file in certificates))
    if version is not None:
        made.set_ciphers("DEFAULT@SECLEVEL=0")
        made.minimum_version, made.maximum_version = version, version
    return made
