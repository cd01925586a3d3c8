/* SPDX-License-Identifier: Apache-2.0 */
/* Which machine this is. */
#include <config.h>
#include "host/fingerprint.h"

#include <dirent.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/credential.h"
#include "packets.h"
#include "svec.h"
#include "util.h"

/* Adds "mac=..." for each network card, sorted.  What has no device behind it
 * (bridges, tunnels, namespaces' veths) is no card, nor are the virtual
 * functions of one. */
static void
add_cards(struct svec *facts)
{
    DIR *dir = opendir("/sys/class/net");
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct dirent *de;

    while (dir && sock >= 0 && (de = readdir(dir)) != NULL) {
        /* The address follows the request. */
        union {
            struct ethtool_perm_addr request;
            uint8_t space[sizeof(struct ethtool_perm_addr) + 32];
        } perm = {
            .request = { .cmd = ETHTOOL_GPERMADDR, .size = 32 },
        };
        struct eth_addr mac;
        struct ifreq ifr = { .ifr_data = (void *) &perm };
        char *device = xasprintf("/sys/class/net/%s/device", de->d_name);
        char *parent = xasprintf("%s/physfn", device);

        ovs_strlcpy(ifr.ifr_name, de->d_name, sizeof ifr.ifr_name);
        bool known = (!access(device, F_OK) && access(parent, F_OK)
                      && !ioctl(sock, SIOCETHTOOL, &ifr)
                      && perm.request.size == ETH_ADDR_LEN);
        memcpy(&mac, perm.space + sizeof perm.request, sizeof mac);
        if (known && !eth_addr_is_zero(mac)) {
            svec_add_nocopy(facts, xasprintf("mac="ETH_ADDR_FMT,
                                             ETH_ADDR_ARGS(mac)));
        }
        free(device);
        free(parent);
    }
    if (dir) {
        closedir(dir);
    }
    if (sock >= 0) {
        close(sock);
    }
}

char *
fingerprint_of_machine(void)
{
    struct svec facts = SVEC_EMPTY_INITIALIZER;
    FILE *dmi = fopen("/sys/class/dmi/id/product_uuid", "re");
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned int n = 0;
    char line[128];

    if (dmi) {
        if (fgets(line, sizeof line, dmi)) {
            line[strcspn(line, "\n")] = '\0';
            svec_add_nocopy(&facts, xasprintf("dmi=%s", line));
        }
        fclose(dmi);
    }
    add_cards(&facts);
    if (!facts.n) {
        /* What is known of no machine must not be the same for many. */
        svec_destroy(&facts);
        return xstrdup("");
    }
    svec_sort_unique(&facts);
    char *joined = svec_join(&facts, "\n", "");
    svec_destroy(&facts);
    EVP_Digest(joined, strlen(joined), hash, &n, EVP_sha256(), NULL);
    free(joined);
    model_hex_encode(hash, n, hex);
    return xstrdup(hex);
}
