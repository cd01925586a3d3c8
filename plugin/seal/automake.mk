# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += plugin/seal/libvsubnet-seal.a
plugin_seal_libvsubnet_seal_a_SOURCES = \
	plugin/seal/aead.c \
	plugin/seal/aead.h \
	plugin/seal/gcm-ipsec-mb.c \
	plugin/seal/gcm-openssl.c \
	plugin/seal/gcm-provider.h \
	plugin/seal/gcm.c \
	plugin/seal/gcm.h \
	plugin/seal/keyring-file.c \
	plugin/seal/keyring-file.h \
	plugin/seal/keyring-text.c \
	plugin/seal/keyring.c \
	plugin/seal/keyring.h \
	plugin/seal/nonce-record.c \
	plugin/seal/nonce-record.h \
	plugin/seal/private-file.c \
	plugin/seal/private-file.h \
	plugin/seal/records.c \
	plugin/seal/records.h \
	plugin/seal/replay.c \
	plugin/seal/replay.h \
	plugin/seal/secret.c \
	plugin/seal/secret.h \
	plugin/seal/session-rx.c \
	plugin/seal/session-state.c \
	plugin/seal/session-state.h \
	plugin/seal/session-tx.c \
	plugin/seal/session.h \
	plugin/seal/wire.c \
	plugin/seal/wire.h
EXTRA_DIST += plugin/seal/README.md
