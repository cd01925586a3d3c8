/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>

int
main(void)
{
    fputs("vsubnet-controller\n", stderr);
    return 1;
}
