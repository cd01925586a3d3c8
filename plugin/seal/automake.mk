# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += plugin/seal/libvsubnet-seal.a
plugin_seal_libvsubnet_seal_a_SOURCES =
