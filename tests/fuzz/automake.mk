# SPDX-License-Identifier: Apache-2.0
#
# libFuzzer targets.  They need clang and are built and run only by
#
#     make fuzz [FUZZ_SECONDS=60] [FUZZ_TARGETS="datagram keyring"]
#
# each from its own seeds in tests/fuzz/corpus; what it finds stays in the
# build directory, under fuzz/.  The test suite gives the seeds to the same
# targets, linked with replay.c instead of a fuzzer.
FUZZ_CC = clang
FUZZ_CFLAGS = -g -O1 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all
FUZZ_SECONDS = 60
FUZZ_TARGETS = datagram keyring session-state registration events services \
	duplicates

EXTRA_DIST += \
	tests/fuzz/json.dict \
	tests/fuzz/corpus/datagram/forged \
	tests/fuzz/corpus/datagram/replicated \
	tests/fuzz/corpus/datagram/unicast \
	tests/fuzz/corpus/duplicates/arp-gratuitous \
	tests/fuzz/corpus/duplicates/arp-owner \
	tests/fuzz/corpus/duplicates/arp-probe \
	tests/fuzz/corpus/duplicates/nd-advert \
	tests/fuzz/corpus/duplicates/nd-dad \
	tests/fuzz/corpus/duplicates/nd-solicit \
	tests/fuzz/corpus/events/bad-algorithm \
	tests/fuzz/corpus/events/bad-binding \
	tests/fuzz/corpus/events/removals \
	tests/fuzz/corpus/events/small \
	tests/fuzz/corpus/events/stream \
	tests/fuzz/corpus/events/unknown \
	tests/fuzz/corpus/keyring/design \
	tests/fuzz/corpus/keyring/ipv6 \
	tests/fuzz/corpus/keyring/small \
	tests/fuzz/corpus/registration/bad-mac \
	tests/fuzz/corpus/registration/bindings \
	tests/fuzz/corpus/registration/credential \
	tests/fuzz/corpus/registration/endpoint-loopback \
	tests/fuzz/corpus/registration/heartbeat \
	tests/fuzz/corpus/registration/key \
	tests/fuzz/corpus/registration/key-too-short \
	tests/fuzz/corpus/registration/key256 \
	tests/fuzz/corpus/registration/lease \
	tests/fuzz/corpus/registration/loaded \
	tests/fuzz/corpus/registration/register \
	tests/fuzz/corpus/services/dhcp4-discover \
	tests/fuzz/corpus/services/dhcp4-inform \
	tests/fuzz/corpus/services/dhcp4-overload \
	tests/fuzz/corpus/services/dhcp4-request \
	tests/fuzz/corpus/services/dhcp6-confirm \
	tests/fuzz/corpus/services/dhcp6-inform \
	tests/fuzz/corpus/services/dhcp6-renew \
	tests/fuzz/corpus/services/dhcp6-solicit \
	tests/fuzz/corpus/services/router-solicitation \
	tests/fuzz/corpus/session-state/design \
	tests/fuzz/corpus/session-state/small

# What a target drives is compiled with it.  What that needs in turn is taken
# from the libraries, uninstrumented.
fuzz_seal = $(top_srcdir)/plugin/seal/*.c
fuzz_model = $(top_srcdir)/plugin/model/*.c
fuzz_registration_sources = $(fuzz_model) \
	$(top_srcdir)/plugin/mapper/api-binding.c \
	$(top_srcdir)/plugin/mapper/api-key.c \
	$(top_srcdir)/plugin/mapper/api-lease.c \
	$(top_srcdir)/plugin/mapper/api-self.c \
	$(top_srcdir)/plugin/mapper/node-input.c
fuzz_events_sources = $(fuzz_model) \
	$(top_srcdir)/plugin/controller/sse.c \
	$(top_srcdir)/plugin/controller/mapping-event.c
fuzz_services_sources = $(fuzz_model) \
	$(top_srcdir)/plugin/controller/service-frame.c \
	$(top_srcdir)/plugin/controller/dhcp[46]*.c \
	$(top_srcdir)/plugin/controller/ra.c
fuzz_duplicates_sources = $(fuzz_model) \
	$(top_srcdir)/plugin/controller/claim.c \
	$(top_srcdir)/plugin/controller/duplicates.c \
	$(top_srcdir)/plugin/controller/local-port.c
# Of a function that a target replaces, the first definition counts.
fuzz_registration_ldflags = -Wl,-z,muldefs
fuzz_registration_libs = \
	plugin/mapper/libmapper.a \
	plugin/mapper/libmapper-idl.a \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a
fuzz_registration_ldadd = $(fuzz_registration_libs) $(LDADD) \
	$(MICROHTTPD_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)

.PHONY: fuzz
fuzz: $(BUILT_SOURCES) $(fuzz_registration_libs) $(JANSSON_LIBS)
	@set -e; for target in $(FUZZ_TARGETS); do \
	    case $$target in \
	    registration) \
	        sources='$(fuzz_registration_sources)'; \
	        libs='$(fuzz_registration_ldflags) $(fuzz_registration_ldadd)';; \
	    events) \
	        sources='$(fuzz_events_sources)'; \
	        libs='$(LDADD) $(JANSSON_LIBS) $(CRYPTO_LIBS)';; \
	    duplicates) \
	        sources='$(fuzz_duplicates_sources)'; \
	        libs='$(LDADD) $(JANSSON_LIBS) $(CRYPTO_LIBS)';; \
	    services) \
	        sources='$(fuzz_services_sources)'; \
	        libs='$(LDADD) $(JANSSON_LIBS) $(CRYPTO_LIBS)';; \
	    *) \
	        sources='$(fuzz_seal)'; \
	        libs='$(LDADD)';; \
	    esac; \
	    $(MKDIR_P) fuzz/$$target; \
	    $(FUZZ_CC) $(AM_CPPFLAGS) $(AM_CFLAGS) $(FUZZ_CFLAGS) \
	        -o fuzz/fuzz-$$target \
	        $(top_srcdir)/tests/fuzz/fuzz-$$target.c \
	        $$sources $$libs $(LIBS); \
	    echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
	    (cd fuzz && ./fuzz-$$target -max_total_time=$(FUZZ_SECONDS) \
	        -max_len=4096 -print_final_stats=1 \
	        -dict=$(abs_top_srcdir)/tests/fuzz/json.dict $$target \
	        $(abs_top_srcdir)/tests/fuzz/corpus/$$target) \
	        > fuzz/$$target.log 2>&1 \
	        || { tail -n 40 fuzz/$$target.log; exit 1; }; \
	    sed -n 's/^stat::number_of_executed_units: */  runs: /p' \
	        fuzz/$$target.log; \
	done

check_PROGRAMS += \
	tests/fuzz/replay-datagram \
	tests/fuzz/replay-keyring \
	tests/fuzz/replay-session-state \
	tests/fuzz/replay-registration \
	tests/fuzz/replay-events \
	tests/fuzz/replay-services \
	tests/fuzz/replay-duplicates
tests_fuzz_replay_datagram_SOURCES = \
	tests/fuzz/fuzz-datagram.c tests/fuzz/replay.c
tests_fuzz_replay_datagram_LDADD = $(unit_ldadd)
tests_fuzz_replay_keyring_SOURCES = \
	tests/fuzz/fuzz-keyring.c tests/fuzz/replay.c
tests_fuzz_replay_keyring_LDADD = $(unit_ldadd)
tests_fuzz_replay_session_state_SOURCES = \
	tests/fuzz/fuzz-session-state.c tests/fuzz/replay.c
tests_fuzz_replay_session_state_LDADD = $(unit_ldadd)
tests_fuzz_replay_registration_SOURCES = \
	tests/fuzz/fuzz-registration.c tests/fuzz/replay.c
tests_fuzz_replay_registration_LDFLAGS = $(AM_LDFLAGS) \
	$(fuzz_registration_ldflags)
tests_fuzz_replay_registration_LDADD = $(fuzz_registration_ldadd)
tests_fuzz_replay_events_SOURCES = \
	tests/fuzz/fuzz-events.c tests/fuzz/replay.c
tests_fuzz_replay_events_LDADD = \
	plugin/controller/libvsubnet-controller.a $(unit_ldadd) $(CURL_LIBS)

tests_fuzz_replay_services_SOURCES = \
	tests/fuzz/fuzz-services.c tests/fuzz/replay.c
tests_fuzz_replay_services_LDADD = \
	plugin/controller/libvsubnet-controller.a $(unit_ldadd)

tests_fuzz_replay_duplicates_SOURCES = \
	tests/fuzz/fuzz-duplicates.c tests/fuzz/replay.c
tests_fuzz_replay_duplicates_LDADD = \
	plugin/controller/libvsubnet-controller.a $(unit_ldadd)

clean-local: clean-fuzz
.PHONY: clean-fuzz
clean-fuzz:
	rm -rf fuzz
