/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/net/threeway: one record a line, stable columns.
 *
 * flows	the columns of /proc/net/tcp (tcp6 for IPv6), as it shows native
 *		half-open connections: uid is the listener's, inode is 0
 * claims	id family local ports remote mode flows opened handed_over
 * stat		name value
 */
#ifndef HS_PROC_H
#define HS_PROC_H

struct hs_net;

int hs_proc_setup(struct hs_net *hn);
void hs_proc_teardown(struct hs_net *hn);

#endif /* HS_PROC_H */
