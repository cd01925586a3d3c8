# SPDX-License-Identifier: Apache-2.0
# The port is linked into ovs-vswitchd by Open vSwitch's own build (ovs.mk);
# here the same files are held to our warnings.
noinst_LIBRARIES += plugin/datapath/libvsubnet-datapath.a
plugin_datapath_libvsubnet_datapath_a_SOURCES = \
	plugin/datapath/checksum.c \
	plugin/datapath/checksum.h \
	plugin/datapath/coalesce.c \
	plugin/datapath/coalesce.h \
	plugin/datapath/codel.c \
	plugin/datapath/codel.h \
	plugin/datapath/ecn.c \
	plugin/datapath/ecn.h \
	plugin/datapath/fragment.c \
	plugin/datapath/fragment.h \
	plugin/datapath/frame.c \
	plugin/datapath/frame.h \
	plugin/datapath/netdev-vsubnet.c \
	plugin/datapath/oam.c \
	plugin/datapath/oam.h \
	plugin/datapath/path-move.c \
	plugin/datapath/path-move.h \
	plugin/datapath/path-ping.c \
	plugin/datapath/path-ping.h \
	plugin/datapath/path-search.c \
	plugin/datapath/path-search.h \
	plugin/datapath/segment.c \
	plugin/datapath/segment.h \
	plugin/datapath/too-big.c \
	plugin/datapath/too-big.h \
	plugin/datapath/vsubnet-counters.c \
	plugin/datapath/vsubnet-counters.h \
	plugin/datapath/vsubnet-inbox.c \
	plugin/datapath/vsubnet-inbox.h \
	plugin/datapath/vsubnet-keys.c \
	plugin/datapath/vsubnet-keys.h \
	plugin/datapath/vsubnet-messages.c \
	plugin/datapath/vsubnet-messages.h \
	plugin/datapath/vsubnet-metadata.c \
	plugin/datapath/vsubnet-metadata.h \
	plugin/datapath/vsubnet-notices.c \
	plugin/datapath/vsubnet-notices.h \
	plugin/datapath/vsubnet-outbox.c \
	plugin/datapath/vsubnet-outbox.h \
	plugin/datapath/vsubnet-path.c \
	plugin/datapath/vsubnet-path.h \
	plugin/datapath/vsubnet-peers.c \
	plugin/datapath/vsubnet-peers.h \
	plugin/datapath/vsubnet-ping.c \
	plugin/datapath/vsubnet-ping.h \
	plugin/datapath/vsubnet-port.c \
	plugin/datapath/vsubnet-port.h \
	plugin/datapath/vsubnet-rx.c \
	plugin/datapath/vsubnet-rx.h \
	plugin/datapath/vsubnet-saver.c \
	plugin/datapath/vsubnet-saver.h \
	plugin/datapath/vsubnet-show.c \
	plugin/datapath/vsubnet-show.h \
	plugin/datapath/vsubnet-socket.c \
	plugin/datapath/vsubnet-socket.h \
	plugin/datapath/vsubnet-tx.c \
	plugin/datapath/vsubnet-tx.h \
	plugin/datapath/vsubnet-watch.c \
	plugin/datapath/vsubnet-watch.h
dist_man_MANS += plugin/datapath/vsubnet-port.7
EXTRA_DIST += plugin/datapath/README.md plugin/datapath/ovs.mk
