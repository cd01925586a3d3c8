# SPDX-License-Identifier: Apache-2.0
# What Open vSwitch's own build compiles of this project (lib/vsubnet is a link
# to the plugin folder): the tunnel port, and the tunnel as pure code.
lib_libopenvswitch_la_SOURCES += \
	lib/vsubnet/datapath/checksum.c \
	lib/vsubnet/datapath/checksum.h \
	lib/vsubnet/datapath/coalesce.c \
	lib/vsubnet/datapath/coalesce.h \
	lib/vsubnet/datapath/frame.c \
	lib/vsubnet/datapath/frame.h \
	lib/vsubnet/datapath/netdev-vsubnet.c \
	lib/vsubnet/datapath/segment.c \
	lib/vsubnet/datapath/segment.h \
	lib/vsubnet/datapath/vsubnet-checksum.c \
	lib/vsubnet/datapath/vsubnet-checksum.h \
	lib/vsubnet/datapath/vsubnet-counters.c \
	lib/vsubnet/datapath/vsubnet-counters.h \
	lib/vsubnet/datapath/vsubnet-keys.c \
	lib/vsubnet/datapath/vsubnet-keys.h \
	lib/vsubnet/datapath/vsubnet-port.c \
	lib/vsubnet/datapath/vsubnet-port.h \
	lib/vsubnet/datapath/vsubnet-rx.c \
	lib/vsubnet/datapath/vsubnet-rx.h \
	lib/vsubnet/datapath/vsubnet-saver.c \
	lib/vsubnet/datapath/vsubnet-saver.h \
	lib/vsubnet/datapath/vsubnet-show.c \
	lib/vsubnet/datapath/vsubnet-show.h \
	lib/vsubnet/datapath/vsubnet-socket.c \
	lib/vsubnet/datapath/vsubnet-socket.h \
	lib/vsubnet/datapath/vsubnet-tx.c \
	lib/vsubnet/datapath/vsubnet-tx.h \
	lib/vsubnet/seal/aead.c \
	lib/vsubnet/seal/aead.h \
	lib/vsubnet/seal/gcm.c \
	lib/vsubnet/seal/gcm.h \
	lib/vsubnet/seal/keyring-file.c \
	lib/vsubnet/seal/keyring-file.h \
	lib/vsubnet/seal/keyring-text.c \
	lib/vsubnet/seal/keyring.c \
	lib/vsubnet/seal/keyring.h \
	lib/vsubnet/seal/private-file.c \
	lib/vsubnet/seal/private-file.h \
	lib/vsubnet/seal/records.c \
	lib/vsubnet/seal/records.h \
	lib/vsubnet/seal/replay.c \
	lib/vsubnet/seal/replay.h \
	lib/vsubnet/seal/secret.c \
	lib/vsubnet/seal/secret.h \
	lib/vsubnet/seal/session-rx.c \
	lib/vsubnet/seal/session-state.c \
	lib/vsubnet/seal/session-state.h \
	lib/vsubnet/seal/session-tx.c \
	lib/vsubnet/seal/session.h \
	lib/vsubnet/seal/wire.c \
	lib/vsubnet/seal/wire.h
