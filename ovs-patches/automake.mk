# SPDX-License-Identifier: Apache-2.0
# The patched ovs-vswitchd stands beside Debian's, as an alternative of higher
# priority: `update-alternatives --config ovs-vswitchd` goes back.
vswitchddir = $(prefix)/lib/openvswitch-switch-vsubnet

install-exec-local: install-vswitchd
.PHONY: install-vswitchd
install-vswitchd:
	$(MKDIR_P) '$(DESTDIR)$(vswitchddir)'
	$(INSTALL_PROGRAM) $(OVS_BUILD)/vswitchd/ovs-vswitchd \
	    '$(DESTDIR)$(vswitchddir)/ovs-vswitchd'
	if test -z '$(DESTDIR)'; then \
	    update-alternatives --install /usr/sbin/ovs-vswitchd ovs-vswitchd \
	        $(vswitchddir)/ovs-vswitchd 200; \
	fi

uninstall-local:
	if test -z '$(DESTDIR)'; then \
	    update-alternatives --remove ovs-vswitchd \
	        $(vswitchddir)/ovs-vswitchd; \
	fi
	rm -f '$(DESTDIR)$(vswitchddir)/ovs-vswitchd'
