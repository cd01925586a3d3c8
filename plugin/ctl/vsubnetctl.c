/* SPDX-License-Identifier: Apache-2.0 */
/* vsubnetctl: the command line of vSubnet. */

#include <config.h>

#include <signal.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/wait.h"
#include "model/reader.h"
#include "openvswitch/vlog.h"
#include "util.h"

int
main(int argc, char *argv[])
{
    struct ctl ctl = { .command = NULL };

    set_program_name("vsubnetctl");
    /* What goes wrong is told once, by the command itself. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    signal(SIGPIPE, SIG_IGN);
    model_json_init();
    for (int i = 0; i < N_CTL_OPTIONS; i++) {
        svec_init(&ctl.options[i]);
    }
    svec_init(&ctl.args);

    ctl_parse(&ctl, argc, argv);
    bool wait = ctl_waits_for_nodes(&ctl);
    ctl.command->run(&ctl);
    if (wait) {
        ctl_wait_nodes(&ctl);
    }

    client_destroy(ctl.client);
    for (int i = 0; i < N_CTL_OPTIONS; i++) {
        svec_destroy(&ctl.options[i]);
    }
    svec_destroy(&ctl.args);
    if (fflush(stdout) || ferror(stdout)) {
        ctl_fatal("cannot write the output");
    }
    return 0;
}
