# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += plugin/ctl/vsubnetctl
plugin_ctl_vsubnetctl_SOURCES = \
	plugin/ctl/acl.c \
	plugin/ctl/acl.h \
	plugin/ctl/acl-apply.c \
	plugin/ctl/acl-file.c \
	plugin/ctl/address.c \
	plugin/ctl/bugreport.c \
	plugin/ctl/client.c \
	plugin/ctl/client.h \
	plugin/ctl/command.c \
	plugin/ctl/connected.c \
	plugin/ctl/ctl.h \
	plugin/ctl/events.c \
	plugin/ctl/files.c \
	plugin/ctl/files.h \
	plugin/ctl/flows.c \
	plugin/ctl/join.c \
	plugin/ctl/local.c \
	plugin/ctl/local.h \
	plugin/ctl/output.c \
	plugin/ctl/output.h \
	plugin/ctl/ping.c \
	plugin/ctl/redact.c \
	plugin/ctl/redact.h \
	plugin/ctl/settings.c \
	plugin/ctl/status.c \
	plugin/ctl/trace.c \
	plugin/ctl/user.c \
	plugin/ctl/verbs.c \
	plugin/ctl/verbs.h \
	plugin/ctl/vsubnetctl.c \
	plugin/ctl/wait.c \
	plugin/ctl/wait.h
plugin_ctl_vsubnetctl_LDADD = \
	plugin/host/libvsubnet-host.a \
	plugin/model/libvsubnet-model.a \
	plugin/seal/libvsubnet-seal.a \
	$(LDADD) $(CURL_LIBS) $(JANSSON_LIBS) $(CRYPTO_LIBS)
dist_man_MANS += plugin/ctl/vsubnetctl.8
dist_bashcompletion_DATA += plugin/ctl/vsubnetctl.bash
EXTRA_DIST += plugin/ctl/README.md
