#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Puts another server certificate in the place of a mapper's.

    certificate.py STATE-DIR AGE LIFE [strange]

It began AGE seconds ago and lasts LIFE seconds; "strange" is signed by itself.
Prints its serial number as openssl does.
"""

import datetime
import ipaddress
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

state, age, life = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def replace(name, data):
    path = os.path.join(state, name)
    with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT, 0o600),
              "wb") as file:
        file.write(data)
    os.rename(path + ".new", path)


def read(name):
    with open(os.path.join(state, name), "rb") as file:
        return file.read()


ca = x509.load_pem_x509_certificate(read("ca.pem"))
key = ec.generate_private_key(ec.SECP256R1())
signer = (key if "strange" in sys.argv else
          serialization.load_pem_private_key(read("ca.key"), None))
begin = (datetime.datetime.now(datetime.timezone.utc)
         - datetime.timedelta(seconds=age))
certificate = (
    x509.CertificateBuilder()
    .subject_name(x509.Name([x509.NameAttribute(
        x509.oid.NameOID.COMMON_NAME, "placed by an operator")]))
    .issuer_name(ca.subject)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(begin)
    .not_valid_after(begin + datetime.timedelta(seconds=life))
    .add_extension(x509.SubjectAlternativeName([
        x509.DNSName("vsubnet-mapper"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    .sign(signer, hashes.SHA256()))
replace("server.key", key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption()))
replace("server.pem", certificate.public_bytes(serialization.Encoding.PEM))
serial = f"{certificate.serial_number:X}"
print("serial=" + "0" * (len(serial) % 2) + serial)
