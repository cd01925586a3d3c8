# SPDX-License-Identifier: Apache-2.0
# The port is linked into ovs-vswitchd by Open vSwitch's own build (ovs.mk);
# here the same files are held to our warnings.
noinst_LIBRARIES += plugin/datapath/libvsubnet-datapath.a
plugin_datapath_libvsubnet_datapath_a_SOURCES =
EXTRA_DIST += plugin/datapath/ovs.mk
