# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += plugin/host/libvsubnet-host.a
plugin_host_libvsubnet_host_a_SOURCES = \
	plugin/host/fingerprint.c \
	plugin/host/fingerprint.h \
	plugin/host/node-credential.c \
	plugin/host/node-credential.h \
	plugin/host/node-file.c \
	plugin/host/node-file.h
EXTRA_DIST += plugin/host/README.md
