// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: the two hosts of the lab and the cable between them
 *
 * Their namespaces have no names: nothing but open files of this process holds
 * them, so that they are gone when it is, however it ends. Only "keep" names
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "tool.h"

#define ROOM_KERNEL	8192	/* events that may wait in the kernel */
#define DEVICE		"lab"
#define SYSCTL_DIR	"/proc/sys/net/threeway/"

static const char * const macs[] = { "02:00:00:00:00:0a", "02:00:00:00:00:0b" };

const char *lab_address(const struct lab *lab, enum lab_address address)
{
	static const char * const v4[] = { "192.0.2.1", "192.0.2.2", "192.0.2.9" };
	static const char * const v6[] = { "2001:db8::1", "2001:db8::2", "2001:db8::9" };

	return lab->family == AF_INET ? v4[address] : v6[address];
}

int lab_enter(struct lab *lab, enum lab_end end)
{
	if (!setns(lab->hosts[end].netns, CLONE_NEWNET))
		return STATUS_OK;
	return kernel_error(-errno, "cannot enter a namespace of the lab", NULL);
}

static int batch_status(const char *program, int status)
{
	if (!status)
		return STATUS_OK;
	/* As the shell says that there is no such program. */
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) >= 126)
		return failure("lab: cannot run \"%s\", is iproute2 installed?", program);
	return failure("lab: \"%s\" could not set up the network", program);
}

int lab_batch(struct lab *lab, enum lab_end end, const char *program, const char *format, ...)
{
	sighandler_t before;
	char command[64];
	va_list args;
	FILE *pipe;
	int status;

	status = lab_enter(lab, end);
	if (status)
		return status;
	snprintf(command, sizeof(command), "exec %s -batch -", program);
	fflush(stdout);
	pipe = popen(command, "we");
	if (!pipe)
		return failure("lab: cannot run \"%s\": %s", program, strerror(errno));
	/* If the program does not read, its exit status tells why. */
	before = signal(SIGPIPE, SIG_IGN);
	va_start(args, format);
	vfprintf(pipe, format, args);
	va_end(args);
	status = pclose(pipe);
	signal(SIGPIPE, before);
	return batch_status(program, status);
}

int lab_delay(struct lab *lab, unsigned int delay_ms)
{
	int end, status = STATUS_OK;

	for (end = LAB_A; end <= LAB_B && !status; end++)
		status = lab_batch(lab, end, "tc", "qdisc replace dev " DEVICE
				   " root netem delay %ums\n", delay_ms);
	return status ? failure("lab: a slow cable needs the kernel module sch_netem") : status;
}

int lab_silence(struct lab *lab, bool silent)
{
	return lab_batch(lab, LAB_A, "ip", "route %s blackhole %s/%d\n", silent ? "add" : "del",
			 lab_address(lab, LAB_ADDRESS_B), lab->family == AF_INET ? 32 : 128);
}

static FILE *open_sysctl(struct lab *lab, enum lab_end end, const char *name, const char *mode)
{
	char path[128];

	/* Which namespace is meant is decided by who opens it. */
	if (lab_enter(lab, end))
		return NULL;
	snprintf(path, sizeof(path), SYSCTL_DIR "%s", name);
	return fopen(path, mode);
}

int lab_sysctl_read(struct lab *lab, enum lab_end end, const char *name, unsigned int *value)
{
	FILE *file = open_sysctl(lab, end, name, "re");
	bool ok = file && fscanf(file, "%u", value) == 1;

	if (file)
		fclose(file);
	return ok ? STATUS_OK : failure("lab: cannot read net.threeway.%s", name);
}

int lab_sysctl_write(struct lab *lab, enum lab_end end, const char *name, unsigned int value)
{
	FILE *file = open_sysctl(lab, end, name, "we");
	bool ok = file && fprintf(file, "%u\n", value) > 0;

	if (file && fclose(file))
		ok = false;
	return ok ? STATUS_OK : failure("lab: cannot set net.threeway.%s to %u", name, value);
}

/* A name that "ip netns" shows. */
static int name_host(struct lab *lab, enum lab_end end)
{
	struct lab_host *host = &lab->hosts[end];
	int status;

	snprintf(host->name, sizeof(host->name), "%s-%d-%s", lab->experiment->name, getpid(),
		 lab_end_names[end]);
	status = lab_batch(lab, end, "ip", "netns attach %s %d\n", host->name, getpid());
	if (status)
		host->name[0] = '\0';
	return status;
}

static int make_host(struct lab *lab, enum lab_end end)
{
	struct lab_host *host = &lab->hosts[end];
	int err;

	if (unshare(CLONE_NEWNET))
		return kernel_error(-errno, "lab: cannot make a network namespace",
				    "CAP_SYS_ADMIN is needed, run as root");
	host->netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (host->netns < 0)
		return failure("lab: cannot open a namespace: %s", strerror(errno));
	host->device = threeway_open(NULL);
	if (host->device < 0)
		return kernel_error(host->device, "cannot open " THREEWAY_DEVICE, NULL);
	fcntl(host->device, F_SETFL, O_NONBLOCK);
	err = threeway_event_start(host->device, 0, 0, ROOM_KERNEL);
	if (err)
		return kernel_error(err, "cannot start events", NULL);
	return lab->keep ? name_host(lab, end) : STATUS_OK;
}

static int lay_cable(struct lab *lab)
{
	return lab_batch(lab, LAB_A, "ip", "link add " DEVICE " address %s type veth peer name "
			 DEVICE " address %s netns /proc/%d/fd/%d\n", macs[LAB_A], macs[LAB_B],
			 getpid(), lab->hosts[LAB_B].netns);
}

/* No segment has to wait until an address is resolved. */
static int set_up_host(struct lab *lab, enum lab_end end)
{
	bool v4 = lab->family == AF_INET;
	enum lab_end peer = end == LAB_A ? LAB_B : LAB_A;
	int status;

	status = lab_batch(lab, end, "ip",
			   "link set lo up\n"
			   "link set " DEVICE " up\n"
			   "address add %s/%d dev " DEVICE "%s\n"
			   "neigh replace %s lladdr %s dev " DEVICE " nud permanent\n",
			   lab_address(lab, end == LAB_A ? LAB_ADDRESS_A : LAB_ADDRESS_B),
			   v4 ? 24 : 64, v4 ? "" : " nodad",
			   lab_address(lab, end == LAB_A ? LAB_ADDRESS_B : LAB_ADDRESS_A),
			   macs[peer]);
	if (status || end == LAB_B)
		return status;
	return lab_batch(lab, end, "ip", "neigh replace %s lladdr %s dev " DEVICE
			 " nud permanent\n", lab_address(lab, LAB_ADDRESS_NOBODY), macs[peer]);
}

/* Administrators' programs are not in the path of everybody. */
static void extend_path(void)
{
	const char *path = getenv("PATH");
	char *longer;

	if (asprintf(&longer, "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin") < 0)
		return;
	setenv("PATH", longer, 1);
	free(longer);
}

int lab_net_up(struct lab *lab)
{
	int end, status = STATUS_OK;

	lab->hosts[LAB_A] = (struct lab_host){ .netns = -1, .device = -1 };
	lab->hosts[LAB_B] = lab->hosts[LAB_A];
	lab->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (lab->home < 0)
		return failure("lab: cannot open the namespace: %s", strerror(errno));
	extend_path();
	for (end = LAB_A; end <= LAB_B && !status; end++)
		status = make_host(lab, end);
	if (!status)
		status = lay_cable(lab);
	for (end = LAB_A; end <= LAB_B && !status; end++)
		status = set_up_host(lab, end);
	return status;
}

void lab_net_down(struct lab *lab)
{
	int end;

	while (lab->socket_count)
		close(lab->sockets[--lab->socket_count]);
	for (end = LAB_A; end <= LAB_B; end++) {
		if (lab->hosts[end].device >= 0)
			close(lab->hosts[end].device);
		if (lab->hosts[end].netns >= 0)
			close(lab->hosts[end].netns);
	}
	if (lab->home < 0)
		return;
	if (setns(lab->home, CLONE_NEWNET))
		exit(failure("lab: cannot go back to the namespace: %s", strerror(errno)));
	close(lab->home);
}
