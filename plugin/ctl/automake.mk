# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += plugin/ctl/vsubnetctl
plugin_ctl_vsubnetctl_SOURCES = \
	plugin/ctl/vsubnetctl.c
plugin_ctl_vsubnetctl_LDADD = \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(CURL_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
