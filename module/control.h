/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/threeway; its contract stands in uapi/threeway.h. */
#ifndef HS_CONTROL_H
#define HS_CONTROL_H

int hs_control_setup(void);
void hs_control_teardown(void);

#endif /* HS_CONTROL_H */
