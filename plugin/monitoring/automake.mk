# SPDX-License-Identifier: Apache-2.0
dist_pkgdata_DATA += plugin/monitoring/vsubnet-grafana.json
EXTRA_DIST += plugin/monitoring/README.md
