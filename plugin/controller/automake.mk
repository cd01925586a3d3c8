# SPDX-License-Identifier: Apache-2.0
sbin_PROGRAMS += plugin/controller/vsubnet-controller
plugin_controller_vsubnet_controller_SOURCES = \
	plugin/controller/vsubnet-controller.c
plugin_controller_vsubnet_controller_LDADD = \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(CURL_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
