/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: what the experiments of the lab are made of
 *
 * Two hosts, A and B, joined by a cable. An experiment makes claims, opens
 * connections, and then walks through what the engines of both hosts have told,
 * in the order in which RFC 9293 wants it, saying what each event means:
 *
 *	if (lab_sent(lab, LAB_A, TCP_SYN, LAB_SOON_MS, &syn))
 *		lab_say(lab, &syn, "A sends SYN ...");
 *
 * What does not come, or comes otherwise, makes the experiment fail, and what
 * is said about it says so.
 *
 * Functions that return an int return STATUS_OK, or the exit code of the error
 * that they have printed; those that return a bool tell whether it went as it
 * should.
 */
#ifndef _LAB_H
#define _LAB_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

#include "error.h"
#include "event.h"
#include "lib/threeway.h"

enum lab_end { LAB_A, LAB_B };

#define LAB_PORT	80	/* of the service; further ones follow */
#define LAB_CLIENT_PORT	40000
#define LAB_SOON_MS	3000	/* for what should come at once */
#define LAB_SOCKETS	32
#define LAB_STEPS	64
#define LAB_STEP_MAX	384
#define LAB_CHAPTERS	3
#define LAB_ISNS	8
#define LAB_NAME_MAX	64

/**
 * struct lab_host - one of the two hosts
 * @netns:	its network namespace
 * @device:	/dev/threeway there, with its events
 * @name:	of the namespace under /run/netns, "" for none
 */
struct lab_host {
	int netns;
	int device;
	char name[LAB_NAME_MAX];
};

/**
 * struct lab_record - an event and who told it
 * @end:	the host
 * @order:	in which it was read
 * @event:	the event
 */
struct lab_record {
	enum lab_end end;
	unsigned int order;
	struct threeway_event event;
};

/**
 * struct lab_step - a line that explains
 * @end:	whose doing it is
 * @time_ns:	CLOCK_BOOTTIME
 * @ok:		it went so
 * @chapter:	index of the heading above it
 * @order:	in which it was told
 * @text:	the line
 */
struct lab_step {
	enum lab_end end;
	__u64 time_ns;
	bool ok;
	unsigned int chapter;
	unsigned int order;
	char text[LAB_STEP_MAX];
};

/**
 * struct lab_isn - a row of the table of initial sequence numbers
 * @time_ns:	CLOCK_BOOTTIME
 * @port:	the client's
 * @iss:	of A and of B
 */
struct lab_isn {
	__u64 time_ns;
	__u16 port;
	__u32 iss[2];
};

struct lab;

/**
 * struct lab_experiment - an experiment
 * @name:	its name
 * @summary:	what it shows, one line
 * @about:	what happens, a paragraph
 * @run:	does it
 * @slow:	takes so long that one wants to see events as they come
 * @pictures:	draw only so many, 0 for all
 * @others_listen: an end whose engine has no part in a connection only listens
 */
struct lab_experiment {
	const char *name;
	const char *summary;
	const char *about;
	int (*run)(struct lab *lab);
	bool slow;
	unsigned int pictures;
	bool others_listen;
};

extern const struct lab_experiment lab_three_way, lab_simultaneous_open, lab_refused;
extern const struct lab_experiment lab_syn_sent, lab_syn_rcvd;
extern const struct lab_experiment lab_old_duplicate, lab_half_open, lab_port_reuse;

/**
 * struct lab - an experiment that is under way
 * @experiment:	which one
 * @family:	AF_INET or AF_INET6
 * @keep:	the namespaces have names and stay
 * @live:	write events as they come
 * @syn_retries: what the user wants, -1 for the default
 * @home:	the namespace that we came from, -1 when there is none to go back to
 * @hosts:	by enum lab_end
 * @sockets:	all that were made
 * @socket_count: how many
 * @records:	all events
 * @count:	how many
 * @room:	how many fit
 * @port:	of the service; events of other ports are not looked at
 * @cursors:	the first of @records not yet looked at, by enum lab_end
 * @chapter:	index of the heading for the next step
 * @titles:	headings, NULL for none
 * @steps:	the explanation
 * @step_count:	how many
 * @isns:	rows of the table
 * @isn_count:	how many
 * @counters:	of both hosts at the end
 * @failed:	it did not go as it should
 */
struct lab {
	const struct lab_experiment *experiment;
	int family;
	bool keep;
	bool live;
	int syn_retries;
	int home;
	struct lab_host hosts[2];
	int sockets[LAB_SOCKETS];
	unsigned int socket_count;
	struct lab_record *records;
	unsigned int count;
	unsigned int room;
	__u16 port;
	unsigned int cursors[2];
	unsigned int chapter;
	const char *titles[LAB_CHAPTERS + 1];
	struct lab_step steps[LAB_STEPS];
	unsigned int step_count;
	struct lab_isn isns[LAB_ISNS];
	unsigned int isn_count;
	__u64 counters[2][THREEWAY_COUNTER_MAX];
	bool failed;
};

/* lab_net.c: the hosts and the cable */

int lab_net_up(struct lab *lab);
/* Nothing is left of the hosts, unless the user wants to keep them. */
void lab_net_down(struct lab *lab);
int lab_enter(struct lab *lab, enum lab_end end);
/* Runs "ip -batch -" or "tc -batch -" on a host. */
__printf(4, 5)
int lab_batch(struct lab *lab, enum lab_end end, const char *program, const char *format, ...);
/* Whatever is sent takes so long. */
int lab_delay(struct lab *lab, unsigned int delay_ms);
/* Nothing that A sends gets out, or all of it does again. */
int lab_silence(struct lab *lab, bool silent);
/* /proc/sys/net/threeway of a host. */
int lab_sysctl_read(struct lab *lab, enum lab_end end, const char *name, unsigned int *value);
int lab_sysctl_write(struct lab *lab, enum lab_end end, const char *name, unsigned int value);

/* An address of the host, or one that B's cable leads to and nobody has. */
enum lab_address { LAB_ADDRESS_A, LAB_ADDRESS_B, LAB_ADDRESS_NOBODY };
const char *lab_address(const struct lab *lab, enum lab_address address);

/* lab_host.c: what a host does */

/* Claims handshakes with the port of the service. */
int lab_claim(struct lab *lab, enum lab_end end, int direction, int mode, __u16 port,
	      const struct threeway_policy *policy);
/* The engine opens without a socket, from LAB_CLIENT_PORT if from is 0. */
int lab_open(struct lab *lab, enum lab_end end, __u16 from, __u16 port,
	     const struct threeway_policy *policy, struct threeway_open *open);
int lab_kill(struct lab *lab, enum lab_end end, const struct threeway_open *open);
/* Is there such a flow, in that state? */
bool lab_flow_is(struct lab *lab, enum lab_end end, __u16 port, int state);
int lab_listen(struct lab *lab, enum lab_end end, __u16 port, int *fd);
/* Begins a connect() that does not block; from port 0 for any. */
int lab_connect(struct lab *lab, enum lab_end end, __u16 from, enum lab_address to, __u16 port,
		int *fd);
/* What became of it: 0 or a negative errno, -ETIME when nothing did. */
int lab_connected(struct lab *lab, int fd, unsigned int within_ms);
/* The connection, -1 when none comes. */
int lab_accept(struct lab *lab, int fd, unsigned int within_ms);
/* Does what is written to one arrive at the other? */
bool lab_talk(struct lab *lab, int from, int to);
/* A SYN from nowhere, by a raw socket. */
int lab_forge_syn(struct lab *lab, enum lab_end end, __u16 from, __u16 port, __u32 seq);

/* lab_story.c: what happened */

/* Reads events, until the file has those that poll() knows, or ends; -1 for none. */
bool lab_wait(struct lab *lab, int fd, short wanted, unsigned int within_ms);
/* Reads events that long. */
void lab_pause(struct lab *lab, unsigned int ms);

/* From now on look at the connections to that port, from their beginning. */
void lab_chapter(struct lab *lab, __u16 port, const char *title);
/* The next segment that the host sent, or got, and it is such a one. */
bool lab_sent(struct lab *lab, enum lab_end end, __u8 flags, unsigned int within_ms,
	      struct lab_record *record);
bool lab_arrived(struct lab *lab, enum lab_end end, __u8 flags, unsigned int within_ms,
		 struct lab_record *record);
/* The next segment was sent and lost on purpose. */
bool lab_lost(struct lab *lab, enum lab_end end, __u8 flags, struct lab_record *record);
/* The next event of another type: THREEWAY_EV_STATE, _HANDOFF or _ENDED ... */
bool lab_became(struct lab *lab, enum lab_end end, int type, int state, unsigned int within_ms,
		struct lab_record *record);
int lab_read_counters(struct lab *lab);
/* Both hosts have sent and got nothing else. */
bool lab_silent(struct lab *lab);

/* Explains an event. */
__printf(3, 4)
void lab_say(struct lab *lab, const struct lab_record *record, const char *format, ...);
/* Explains what a program on the host has seen, now. */
__printf(3, 4)
void lab_add(struct lab *lab, enum lab_end end, const char *format, ...);
/* The step last explained is as it should only if that is true. */
bool lab_must(struct lab *lab, bool ok, const char *otherwise);
/* The event just explained left that state. */
bool lab_must_be(struct lab *lab, const struct lab_record *record, int state);
/* It did not go as it should. */
__printf(3, 4)
void lab_fail(struct lab *lab, enum lab_end end, const char *format, ...);

__u64 lab_now_ns(void);

/* lab_show.c: for the reader */

extern const char * const lab_end_names[2];

/* The flags that tell one kind of segment from another. */
#define LAB_FLAGS	(TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)
/* "SYN-ACK" */
const char *lab_segment_name(__u8 flags, char buf[32]);

void lab_show_head(const struct lab *lab);
void lab_show_event(const struct lab *lab, const struct lab_record *record);
/* The picture and the explanation. */
int lab_show(struct lab *lab, const char *svg);

#endif /* _LAB_H */
