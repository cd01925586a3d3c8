# SPDX-License-Identifier: Apache-2.0
sbin_PROGRAMS += plugin/mapper/vsubnet-mapper
plugin_mapper_vsubnet_mapper_SOURCES = \
	plugin/mapper/vsubnet-mapper.c
plugin_mapper_vsubnet_mapper_LDADD = \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
