"""A time-stamp authority of the tests, run by openssl in a folder of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

CONFIG = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamp]
extendedKeyUsage = critical, timeStamping
keyUsage = critical, digitalSignature
[tsa]
default_tsa = one
[one]
serial = serial
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = {ess}
accuracy = secs:1
"""
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


class Authority:
    """`stamp` answers a request over bytes; `root` is the PEM certificate that its certificate leads to.

    `ess` is the hash by which a token names its certificate: sha1 as RFC 3161 has it, others as RFC 5816 has them.
    """

    def __init__(self, folder: Path, kind: str = "", ess: str = "sha256") -> None:
        self.folder = folder
        (folder / "tsa.cnf").write_text(CONFIG.format(ess=ess))
        (folder / "serial").write_text("01\n")
        new = ("-newkey", kind) if kind else CURVE
        self.run("req", "-x509", *new, "-nodes", "-keyout", "root.key", "-out", "root.pem", "-days", "9",
                 "-config", "tsa.cnf", "-extensions", "ca", "-subj", "/CN=Root of the test")  # fmt: skip
        self.run("req", *new, "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr",
                 "-config", "tsa.cnf", "-subj", "/CN=Time of the test")  # fmt: skip
        self.run("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
                 "-out", "tsa.pem", "-days", "9", "-extfile", "tsa.cnf", "-extensions", "stamp")  # fmt: skip

    @property
    def root(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def stamp(self, data: bytes) -> bytes:
        (self.folder / "data").write_bytes(data)
        self.run("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "asked.tsq")
        return self.answer((self.folder / "asked.tsq").read_bytes())

    def answer(self, request: bytes) -> bytes:
        """The response to a request of somebody else."""
        (self.folder / "asked.tsq").write_bytes(request)
        self.run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "asked.tsq", "-signer", "tsa.pem",
                 "-inkey", "tsa.key", "-out", "answer.tsr")  # fmt: skip
        return (self.folder / "answer.tsr").read_bytes()

    def run(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
