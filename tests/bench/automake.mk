# SPDX-License-Identifier: Apache-2.0
noinst_PROGRAMS += tests/bench/bench-seal
tests_bench_bench_seal_SOURCES = tests/bench/bench-seal.c
tests_bench_bench_seal_LDADD = \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(CRYPTO_LIBS)

noinst_PROGRAMS += tests/bench/bench-mapper
tests_bench_bench_mapper_SOURCES = \
	tests/bench/bench-mapper.c \
	tests/bench/load/node.c \
	tests/bench/load/node.h \
	tests/bench/load/tls-client.c \
	tests/bench/load/tls-client.h
tests_bench_bench_mapper_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_mapper_LDADD = $(LDADD) -lssl $(CRYPTO_LIBS)

dist_noinst_SCRIPTS += \
	tests/bench/controller \
	tests/bench/lib/build \
	tests/bench/mapper \
	tests/bench/moves \
	tests/bench/seal \
	tests/bench/tunnel
EXTRA_DIST += \
	tests/bench/README.md \
	tests/bench/lib/cases.py \
	tests/bench/lib/lab.py \
	tests/bench/lib/mapper_load.py \
	tests/bench/lib/report.py \
	tests/bench/lib/service.py \
	tests/bench/lib/setup.py \
	tests/bench/lib/systems/__init__.py \
	tests/bench/lib/systems/base.py \
	tests/bench/lib/systems/fastd.py \
	tests/bench/lib/systems/kernel_vxlan.py \
	tests/bench/lib/systems/n2n.py \
	tests/bench/lib/systems/openvpn.py \
	tests/bench/lib/systems/ovs_vxlan.py \
	tests/bench/lib/systems/sink.py \
	tests/bench/lib/systems/switch.py \
	tests/bench/lib/systems/tinc.py \
	tests/bench/lib/systems/vsubnet.py \
	tests/bench/lib/traffic.c
