# SPDX-License-Identifier: Apache-2.0
TESTSUITE = $(top_builddir)/tests/testsuite
TESTSUITE_AT = \
	tests/testsuite.at \
	tests/seal.at \
	tests/fuzz.at \
	tests/model.at \
	tests/offload.at \
	tests/datapath.at \
	tests/datapath-pmd.at \
	tests/datapath-path.at \
	tests/integrity.at \
	tests/mapper.at \
	tests/mapper-http.at \
	tests/mapper-api.at \
	tests/mapper-rules.at \
	tests/mapper-settings.at \
	tests/mapper-streams.at \
	tests/mapper-crash.at \
	tests/mapper-hostile.at \
	tests/mapper-identity.at \
	tests/mapper-upgrade.at \
	tests/mapper-ha.at \
	tests/mapper-monitor.at \
	tests/mapper-load.at \
	tests/controller.at \
	tests/controller-identity.at \
	tests/controller-security.at \
	tests/controller-monitor.at \
	tests/services.at \
	tests/controller-trace.at \
	tests/mapper-installed.at \
	tests/ctl-nets.at \
	tests/ctl.at \
	tests/ctl-bugreport.at \
	tests/ctl-identity.at \
	tests/ctl-acl.at \
	tests/ctl-api.at \
	tests/system-macros.at \
	tests/system-acl.at \
	tests/system-traffic.at \
	tests/system-trace.at \
	tests/system-isolation.at \
	tests/system-outage.at \
	tests/system-address.at \
	tests/system-neighbours.at \
	tests/system-clone.at \
	tests/system-keys.at \
	tests/system-moves.at \
	tests/system-rules.at \
	tests/system-secrets.at \
	tests/system-storm.at \
	tests/system-sandbox.at \
	tests/system-nonce.at \
	tests/system-services.at
EXTRA_DIST += tests/lib-datapath.sh tests/lib-integrity.sh tests/dp-datagram \
	tests/too-big.py \
	tests/segments.py tests/transfer.py
EXTRA_DIST += $(TESTSUITE_AT) tests/atlocal.in tests/check-layers
EXTRA_DIST += tests/traces/arp-answered tests/traces/denied \
	tests/traces/flood tests/traces/no-rule tests/traces/no-vsubnet \
	tests/traces/rules-tunnel tests/traces/spoofed tests/traces/tunnel
EXTRA_DIST += tests/README.md tests/run tests/faults tests/faults.py tests/soak tests/system-lib.sh tests/decode.py \
	tests/api.py tests/echo.py tests/frames.py tests/dhclient-script tests/dhclient.conf tests/rogue.py tests/services-cache.py \
	tests/neighbours.py tests/hostile.py tests/nonces.py tests/opens-none.py tests/secrets.py \
	tests/pings tests/stream.py tests/talk.py \
	tutorial/README.md tutorial/sandbox tutorial/lib/common.sh \
	tutorial/lib/build.sh tutorial/lib/exec.sh tutorial/lib/hosts.sh \
	tutorial/lib/moves.sh tutorial/lib/demo.sh

# Unit tests: one program an area, one subcommand a test.
unit_ldadd = \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(JANSSON_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += tests/unit-seal
tests_unit_seal_SOURCES = \
	tests/unit-seal.c \
	tests/unit-seal.h \
	tests/unit-seal-keyring.c \
	tests/unit-seal-session.c \
	tests/unit-seal-state.c
tests_unit_seal_LDADD = $(unit_ldadd)

noinst_PROGRAMS += tests/unit-model
tests_unit_model_SOURCES = \
	tests/unit-mapping.c \
	tests/unit-model-net.c \
	tests/unit-model.c \
	tests/unit-model.h \
	tests/unit-rule.c
tests_unit_model_LDADD = $(unit_ldadd)

check_PROGRAMS += tests/unit-datapath
tests_unit_datapath_SOURCES = \
	tests/tcp-frame.c \
	tests/tcp-frame.h \
	tests/unit-coalesce.c \
	tests/unit-congestion.c \
	tests/unit-datapath.c \
	tests/unit-fragment.c \
	tests/unit-path.c \
	tests/unit-too-big.c \
	tests/unit-tx.c
tests_unit_datapath_LDADD = \
	plugin/datapath/libvsubnet-datapath.a $(unit_ldadd)

check_PROGRAMS += tests/wire
tests_wire_SOURCES = tests/wire.c

check_PROGRAMS += tests/unit-mapper
tests_unit_mapper_SOURCES = tests/unit-mapper.c
tests_unit_mapper_LDADD = \
	plugin/mapper/libmapper.a \
	plugin/mapper/libmapper-idl.a \
	$(unit_ldadd)
EXTRA_DIST += tests/certificate.py tests/metrics.py tests/mapper.sh tests/mapper-events \
	tests/mapper-1.0.0.ovsschema tests/mapper-1.1.0.ovsschema \
	tests/mapper-1.2.0.ovsschema

check_PROGRAMS += tests/unit-controller
tests_unit_controller_SOURCES = \
	tests/flow-sim.c \
	tests/flow-sim.h \
	tests/unit-controller-acl.c \
	tests/unit-controller-arp.c \
	tests/unit-controller-binding.c \
	tests/unit-controller-cache.c \
	tests/unit-controller-duplicates.c \
	tests/unit-controller-flow.c \
	tests/unit-controller-hits.c \
	tests/unit-controller-identity.c \
	tests/unit-controller-index.c \
	tests/unit-controller-keys.c \
	tests/unit-controller-rules.c \
	tests/unit-controller-storm.c \
	tests/unit-controller-trace.c \
	tests/unit-controller-moves.c \
	tests/unit-controller-security.c \
	tests/unit-controller.c \
	tests/unit-controller.h
tests_unit_controller_LDADD = \
	plugin/controller/libvsubnet-controller.a \
	plugin/host/libvsubnet-host.a \
	$(unit_ldadd) $(CURL_LIBS)

check_PROGRAMS += tests/unit-services
tests_unit_services_SOURCES = \
	tests/unit-dhcp4.c \
	tests/unit-dhcp6.c \
	tests/unit-ra.c \
	tests/unit-services.c \
	tests/unit-services.h
tests_unit_services_LDADD = \
	plugin/controller/libvsubnet-controller.a \
	plugin/host/libvsubnet-host.a \
	$(unit_ldadd) $(CURL_LIBS) $(MICROHTTPD_LIBS)

tests/package.m4: $(top_srcdir)/configure.ac
	$(AM_V_GEN){ \
	  echo 'm4_define([AT_PACKAGE_NAME], [$(PACKAGE_NAME)])'; \
	  echo 'm4_define([AT_PACKAGE_TARNAME], [$(PACKAGE_TARNAME)])'; \
	  echo 'm4_define([AT_PACKAGE_VERSION], [$(PACKAGE_VERSION)])'; \
	  echo 'm4_define([AT_PACKAGE_STRING], [$(PACKAGE_STRING)])'; \
	  echo 'm4_define([AT_PACKAGE_BUGREPORT], [])'; \
	} > $@
CLEANFILES += tests/package.m4 $(TESTSUITE)

$(TESTSUITE): tests/package.m4 $(TESTSUITE_AT)
	$(AM_V_GEN)$(AUTOM4TE) --language=autotest -I $(top_builddir)/tests \
	    -I $(top_srcdir) -o $@.tmp $(top_srcdir)/tests/testsuite.at \
	    && mv $@.tmp $@

# What openapi.yaml says that is answered, against which tests hold the mapper.
tests/api-statuses: tests/api.py plugin/mapper/openapi.yaml
	$(AM_V_GEN)$(PYTHON3) $(srcdir)/tests/api.py statuses \
	    $(srcdir)/plugin/mapper/openapi.yaml | LC_ALL=C sort >$@.tmp \
	    && mv $@.tmp $@
CLEANFILES += tests/api-statuses

check-local: $(TESTSUITE) check-layers tests/api-statuses
	$(SHELL) $(TESTSUITE) -C tests AUTOTEST_PATH=tests $(TESTSUITEFLAGS)

clean-local:
	test ! -f $(TESTSUITE) || $(SHELL) $(TESTSUITE) -C tests --clean

.PHONY: check-layers
check-layers:
	$(AM_V_GEN)$(top_srcdir)/tests/check-layers $(top_srcdir)/plugin

include tests/fuzz/automake.mk
