# SPDX-License-Identifier: Apache-2.0
noinst_LIBRARIES += plugin/model/libvsubnet-model.a
plugin_model_libvsubnet_model_a_SOURCES = \
	plugin/model/change.c \
	plugin/model/credential.c \
	plugin/model/credential.h \
	plugin/model/jansson.h \
	plugin/model/kind.c \
	plugin/model/kind.h \
	plugin/model/log-format.c \
	plugin/model/log-format.h \
	plugin/model/mapping.c \
	plugin/model/mapping.h \
	plugin/model/metrics.c \
	plugin/model/metrics.h \
	plugin/model/net.c \
	plugin/model/object.c \
	plugin/model/object.h \
	plugin/model/reader.c \
	plugin/model/reader.h \
	plugin/model/rule.c \
	plugin/model/rule.h \
	plugin/model/rule-text.c \
	plugin/model/snapshot-text.c \
	plugin/model/types.c \
	plugin/model/types.h \
	plugin/model/url.c \
	plugin/model/url.h
EXTRA_DIST += plugin/model/README.md

# libopenvswitch exports six functions of jansson's names, so what is linked
# is a copy of jansson with others: see model/jansson.h.  It takes the place
# of what configure found.
JANSSON_LIBS = plugin/model/libjansson.a
OBJCOPY = objcopy
JANSSON_RENAMES = \
	--redefine-sym json_object=jansson_object \
	--redefine-sym json_array=jansson_array \
	--redefine-sym json_string=jansson_string \
	--redefine-sym json_integer=jansson_integer \
	--redefine-sym json_real=jansson_real \
	--redefine-sym json_equal=jansson_equal
plugin/model/libjansson.a: plugin/model/automake.mk
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(OBJCOPY) $(JANSSON_RENAMES) \
	    "$$($(CC) -print-file-name=libjansson.a)" $@
CLEANFILES += plugin/model/libjansson.a
