# SPDX-License-Identifier: Apache-2.0
#
# libFuzzer targets.  They need clang and are built and run only by
#
#     make fuzz [FUZZ_SECONDS=60]
#
# each from its own seeds in tests/fuzz/corpus; what it finds stays in the
# build directory, under fuzz/.
FUZZ_CC = clang
FUZZ_CFLAGS = -g -O1 -fsanitize=fuzzer,address,undefined \
	-fno-sanitize-recover=all
FUZZ_SECONDS = 60
FUZZ_TARGETS = datagram keyring session-state

EXTRA_DIST += \
	tests/fuzz/fuzz-datagram.c \
	tests/fuzz/fuzz-keyring.c \
	tests/fuzz/fuzz-session-state.c \
	tests/fuzz/corpus/datagram/forged \
	tests/fuzz/corpus/datagram/replicated \
	tests/fuzz/corpus/datagram/unicast \
	tests/fuzz/corpus/keyring/design \
	tests/fuzz/corpus/keyring/ipv6 \
	tests/fuzz/corpus/keyring/small \
	tests/fuzz/corpus/session-state/design \
	tests/fuzz/corpus/session-state/small

.PHONY: fuzz
fuzz: $(BUILT_SOURCES)
	@set -e; for target in $(FUZZ_TARGETS); do \
	    $(MKDIR_P) fuzz/$$target; \
	    $(FUZZ_CC) $(AM_CPPFLAGS) $(AM_CFLAGS) $(FUZZ_CFLAGS) \
	        -o fuzz/fuzz-$$target \
	        $(top_srcdir)/tests/fuzz/fuzz-$$target.c \
	        $(top_srcdir)/plugin/seal/*.c $(LDADD) $(LIBS); \
	    echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
	    (cd fuzz && ./fuzz-$$target -max_total_time=$(FUZZ_SECONDS) \
	        -max_len=4096 -print_final_stats=1 $$target \
	        $(abs_top_srcdir)/tests/fuzz/corpus/$$target) \
	        > fuzz/$$target.log 2>&1 \
	        || { tail -n 40 fuzz/$$target.log; exit 1; }; \
	    sed -n 's/^stat::number_of_executed_units: */  runs: /p' \
	        fuzz/$$target.log; \
	done
clean-local: clean-fuzz
.PHONY: clean-fuzz
clean-fuzz:
	rm -rf fuzz
