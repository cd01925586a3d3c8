# SPDX-License-Identifier: Apache-2.0
# The code that ovsdb-idlc makes is Open vSwitch's style of C, not ours: it is
# a library of its own, without our warnings.
noinst_LIBRARIES += plugin/mapper/libmapper-idl.a
nodist_plugin_mapper_libmapper_idl_a_SOURCES = \
	plugin/mapper/mapper-idl.c \
	plugin/mapper/mapper-idl.h
plugin_mapper_libmapper_idl_a_CFLAGS = $(AM_CFLAGS) -w

noinst_LIBRARIES += plugin/mapper/libmapper.a
plugin_mapper_libmapper_a_SOURCES = \
	plugin/mapper/api.c \
	plugin/mapper/api.h \
	plugin/mapper/api-binding.c \
	plugin/mapper/api-clone.c \
	plugin/mapper/api-hits.c \
	plugin/mapper/api-ipam.c \
	plugin/mapper/api-key.c \
	plugin/mapper/api-lease.c \
	plugin/mapper/api-list.c \
	plugin/mapper/api-list.h \
	plugin/mapper/api-net.c \
	plugin/mapper/api-node.c \
	plugin/mapper/api-route.c \
	plugin/mapper/api-route.h \
	plugin/mapper/api-rule.c \
	plugin/mapper/api-self.c \
	plugin/mapper/api-token.c \
	plugin/mapper/api-user.c \
	plugin/mapper/asks.c \
	plugin/mapper/asks.h \
	plugin/mapper/audience.c \
	plugin/mapper/audience.h \
	plugin/mapper/audit.c \
	plugin/mapper/audit.h \
	plugin/mapper/auth.c \
	plugin/mapper/auth.h \
	plugin/mapper/bootstrap.c \
	plugin/mapper/bootstrap.h \
	plugin/mapper/certificate.c \
	plugin/mapper/certificate.h \
	plugin/mapper/change.c \
	plugin/mapper/change.h \
	plugin/mapper/change-label.c \
	plugin/mapper/confirm.c \
	plugin/mapper/confirm.h \
	plugin/mapper/convert.c \
	plugin/mapper/convert.h \
	plugin/mapper/db.c \
	plugin/mapper/db.h \
	plugin/mapper/delta.c \
	plugin/mapper/delta.h \
	plugin/mapper/encode.c \
	plugin/mapper/events.c \
	plugin/mapper/events.h \
	plugin/mapper/events-node.c \
	plugin/mapper/events-private.h \
	plugin/mapper/file.c \
	plugin/mapper/file.h \
	plugin/mapper/http.c \
	plugin/mapper/http.h \
	plugin/mapper/http-private.h \
	plugin/mapper/http-stream.c \
	plugin/mapper/identity.c \
	plugin/mapper/idempotency.c \
	plugin/mapper/idempotency.h \
	plugin/mapper/identity.h \
	plugin/mapper/installed.c \
	plugin/mapper/installed.h \
	plugin/mapper/ipam.c \
	plugin/mapper/ipam.h \
	plugin/mapper/ipam-hint.c \
	plugin/mapper/ipam-hint.h \
	plugin/mapper/keybox.c \
	plugin/mapper/keybox.h \
	plugin/mapper/label.c \
	plugin/mapper/label.h \
	plugin/mapper/lease.c \
	plugin/mapper/lease.h \
	plugin/mapper/mark.c \
	plugin/mapper/mark.h \
	plugin/mapper/monitor.c \
	plugin/mapper/monitor.h \
	plugin/mapper/node-input.c \
	plugin/mapper/node-input.h \
	plugin/mapper/peers.c \
	plugin/mapper/peers.h \
	plugin/mapper/pki.c \
	plugin/mapper/pki.h \
	plugin/mapper/request-stats.c \
	plugin/mapper/request-stats.h \
	plugin/mapper/shared.c \
	plugin/mapper/shared.h \
	plugin/mapper/rule-hits.c \
	plugin/mapper/rule-hits.h \
	plugin/mapper/rule-row.c \
	plugin/mapper/rule-row.h \
	plugin/mapper/storage.c \
	plugin/mapper/storage.h \
	plugin/mapper/txn.c \
	plugin/mapper/txn.h
sbin_PROGRAMS += plugin/mapper/vsubnet-mapper
plugin_mapper_vsubnet_mapper_SOURCES = \
	plugin/mapper/vsubnet-mapper.c
plugin_mapper_vsubnet_mapper_LDADD = \
	plugin/mapper/libmapper.a \
	plugin/mapper/libmapper-idl.a \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
plugin_mapper_libmapper_a_CPPFLAGS = $(AM_CPPFLAGS) \
	-DMAPPER_SCHEMA='"$(pkgdatadir)/vsubnet-mapper.ovsschema"'

mapper_idlc = PYTHONPATH=$(OVS_SRC)/python:$$PYTHONPATH \
	$(PYTHON3) $(OVS_SRC)/ovsdb/ovsdb-idlc.in
mapper_schema = $(srcdir)/plugin/mapper/vsubnet-mapper.ovsschema
mapper_ann = $(srcdir)/plugin/mapper/mapper-idl.ann

plugin/mapper/mapper.ovsidl: $(mapper_schema) $(mapper_ann) | build-ovs
	$(AM_V_GEN)$(MKDIR_P) plugin/mapper && $(mapper_idlc) annotate \
	    $(mapper_schema) $(mapper_ann) > $@.tmp && mv $@.tmp $@
plugin/mapper/mapper-idl.c: plugin/mapper/mapper.ovsidl
	$(AM_V_GEN)$(mapper_idlc) c-idl-source $< > $@.tmp && mv $@.tmp $@
plugin/mapper/mapper-idl.h: plugin/mapper/mapper.ovsidl
	$(AM_V_GEN)$(mapper_idlc) c-idl-header $< > $@.tmp && mv $@.tmp $@

$(plugin_mapper_libmapper_a_OBJECTS) $(plugin_mapper_vsubnet_mapper_OBJECTS) \
$(plugin_mapper_libmapper_idl_a_OBJECTS): plugin/mapper/mapper-idl.h

BUILT_SOURCES += plugin/mapper/mapper-idl.c plugin/mapper/mapper-idl.h
CLEANFILES += \
	plugin/mapper/mapper.ovsidl \
	plugin/mapper/mapper-idl.c \
	plugin/mapper/mapper-idl.h
EXTRA_DIST += \
	plugin/mapper/README.md \
	plugin/mapper/mapper-idl.ann \
	plugin/mapper/openapi.yaml \
	plugin/mapper/vsubnet-mapper.service.in
systemdsystemunit_DATA += plugin/mapper/vsubnet-mapper.service

plugin/mapper/vsubnet-mapper.service: \
		plugin/mapper/vsubnet-mapper.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed 's,@sbindir[@],$(sbindir),g' \
	    $(srcdir)/plugin/mapper/vsubnet-mapper.service.in >$@
CLEANFILES += plugin/mapper/vsubnet-mapper.service
dist_pkgdata_DATA = plugin/mapper/vsubnet-mapper.ovsschema
dist_man_MANS += plugin/mapper/vsubnet-mapper.8
