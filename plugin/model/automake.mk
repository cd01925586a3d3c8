# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += plugin/model/libvsubnet-model.a
plugin_model_libvsubnet_model_a_SOURCES =
