# SPDX-License-Identifier: Apache-2.0
noinst_PROGRAMS += tests/bench/bench-seal
tests_bench_bench_seal_SOURCES = tests/bench/bench-seal.c
tests_bench_bench_seal_LDADD = \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(CRYPTO_LIBS)

dist_noinst_SCRIPTS += tests/bench/seal tests/bench/tunnel tests/bench/lib/build
dist_noinst_SCRIPTS += tests/bench/controller
EXTRA_DIST += \
	tests/bench/README.md \
	tests/bench/lib/cases.py \
	tests/bench/lib/lab.py \
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
