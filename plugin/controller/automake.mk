# SPDX-License-Identifier: Apache-2.0
# All but main() is a library, for the unit tests.
noinst_LIBRARIES += plugin/controller/libvsubnet-controller.a
plugin_controller_libvsubnet_controller_a_SOURCES = \
	plugin/controller/announce.c \
	plugin/controller/announce.h \
	plugin/controller/acl-log.c \
	plugin/controller/acl-log.h \
	plugin/controller/bindings.c \
	plugin/controller/bindings.h \
	plugin/controller/cache.c \
	plugin/controller/cache.h \
	plugin/controller/claim.c \
	plugin/controller/claim.h \
	plugin/controller/client.c \
	plugin/controller/client.h \
	plugin/controller/controller.c \
	plugin/controller/controller.h \
	plugin/controller/ct-limits.c \
	plugin/controller/ct-limits.h \
	plugin/controller/ct-zones.c \
	plugin/controller/ct-zones.h \
	plugin/controller/credential-rotation.c \
	plugin/controller/credential-rotation.h \
	plugin/controller/dhcp4-options.c \
	plugin/controller/dhcp4-options.h \
	plugin/controller/dhcp4.c \
	plugin/controller/dhcp4.h \
	plugin/controller/dhcp6-request.c \
	plugin/controller/dhcp6-request.h \
	plugin/controller/dhcp6.c \
	plugin/controller/dhcp6.h \
	plugin/controller/flow-acl.c \
	plugin/controller/flow-acl.h \
	plugin/controller/duplicates.c \
	plugin/controller/duplicates.h \
	plugin/controller/flow-arp.c \
	plugin/controller/flow-compose.c \
	plugin/controller/flow-compose.h \
	plugin/controller/flow-desired.c \
	plugin/controller/flow-desired.h \
	plugin/controller/flow-diff.c \
	plugin/controller/flow-diff.h \
	plugin/controller/flow-index.c \
	plugin/controller/flow-index.h \
	plugin/controller/flow-learn.c \
	plugin/controller/flow-names.c \
	plugin/controller/flow-names.h \
	plugin/controller/flow-loop.c \
	plugin/controller/flow-moves.c \
	plugin/controller/flow-parts.h \
	plugin/controller/flow-rule.c \
	plugin/controller/flow-storm.c \
	plugin/controller/flow-services.c \
	plugin/controller/flow-security.c \
	plugin/controller/flow-set.c \
	plugin/controller/flow-set.h \
	plugin/controller/flow-tables.h \
	plugin/controller/guard.c \
	plugin/controller/guard.h \
	plugin/controller/host-addr.c \
	plugin/controller/host-addr.h \
	plugin/controller/trace.c \
	plugin/controller/trace.h \
	plugin/controller/trace-query.c \
	plugin/controller/trace-query.h \
	plugin/controller/trace-text.c \
	plugin/controller/trace-text.h \
	plugin/controller/trace-words.c \
	plugin/controller/trace-words.h \
	plugin/controller/vswitchd-ask.c \
	plugin/controller/vswitchd-ask.h \
	plugin/controller/underlay.c \
	plugin/controller/underlay.h \
	plugin/controller/hits.c \
	plugin/controller/hits.h \
	plugin/controller/http.c \
	plugin/controller/http.h \
	plugin/controller/identity.c \
	plugin/controller/identity.h \
	plugin/controller/installed.c \
	plugin/controller/installed.h \
	plugin/controller/instance.c \
	plugin/controller/instance.h \
	plugin/controller/key-rotation.c \
	plugin/controller/key-rotation.h \
	plugin/controller/key-service.c \
	plugin/controller/key-service.h \
	plugin/controller/json-text.c \
	plugin/controller/json-text.h \
	plugin/controller/keyring-out.c \
	plugin/controller/keyring-out.h \
	plugin/controller/lease.c \
	plugin/controller/lease.h \
	plugin/controller/learnt.c \
	plugin/controller/learnt.h \
	plugin/controller/local-port.c \
	plugin/controller/local-port.h \
	plugin/controller/loop-guard.c \
	plugin/controller/loop-guard.h \
	plugin/controller/loop-probe.c \
	plugin/controller/loop-probe.h \
	plugin/controller/mac-damping.c \
	plugin/controller/mac-damping.h \
	plugin/controller/mapping-event.c \
	plugin/controller/mapping-event.h \
	plugin/controller/meters.c \
	plugin/controller/meters.h \
	plugin/controller/monitor.c \
	plugin/controller/monitor.h \
	plugin/controller/monitor-server.c \
	plugin/controller/monitor-server.h \
	plugin/controller/moves.c \
	plugin/controller/moves.h \
	plugin/controller/names.c \
	plugin/controller/names.h \
	plugin/controller/ofctrl-meter.c \
	plugin/controller/ofctrl-meter.h \
	plugin/controller/ofctrl-msg.c \
	plugin/controller/ofctrl-msg.h \
	plugin/controller/ofctrl.c \
	plugin/controller/ofctrl.h \
	plugin/controller/ovs-claims.c \
	plugin/controller/ovs-claims.h \
	plugin/controller/ovs-config.c \
	plugin/controller/ovs-config.h \
	plugin/controller/ovs-make.c \
	plugin/controller/ovs-make.h \
	plugin/controller/own-keys.c \
	plugin/controller/own-keys.h \
	plugin/controller/punts.c \
	plugin/controller/punts.h \
	plugin/controller/ra.c \
	plugin/controller/ra.h \
	plugin/controller/registrar.c \
	plugin/controller/registrar.h \
	plugin/controller/reload.c \
	plugin/controller/reload.h \
	plugin/controller/rule-cookie.c \
	plugin/controller/rule-cookie.h \
	plugin/controller/service-frame.c \
	plugin/controller/service-frame.h \
	plugin/controller/services.c \
	plugin/controller/services.h \
	plugin/controller/sse.c \
	plugin/controller/sse.h \
	plugin/controller/standing.c \
	plugin/controller/standing.h \
	plugin/controller/status.c \
	plugin/controller/status.h

sbin_PROGRAMS += plugin/controller/vsubnet-controller
plugin_controller_vsubnet_controller_SOURCES = \
	plugin/controller/vsubnet-controller.c
plugin_controller_vsubnet_controller_LDADD = \
	plugin/controller/libvsubnet-controller.a \
	plugin/host/libvsubnet-host.a \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(CURL_LIBS) $(MICROHTTPD_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)

dist_man_MANS += plugin/controller/vsubnet-controller.8
systemdsystemunit_DATA += plugin/controller/vsubnet-controller.service
EXTRA_DIST += \
	plugin/controller/README.md \
	plugin/controller/vsubnet-controller.service.in

plugin/controller/vsubnet-controller.service: \
		plugin/controller/vsubnet-controller.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && sed 's,@sbindir[@],$(sbindir),g' \
	    $(srcdir)/plugin/controller/vsubnet-controller.service.in >$@
CLEANFILES += plugin/controller/vsubnet-controller.service
