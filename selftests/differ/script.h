/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packet scripts: what the peer sends and the program does, and when. What the
 * kernel is to answer they do not say: that is what the native stack does.
 *
 *	passive LI6 data on a SYN come again
 *		+0 < S 0(3) <mss 1000>
 *		+20 < P. 1(3) ack 1
 *		+0 send 10
 *
 * A line "passive NAME" or "active NAME" begins a script. In a passive one a
 * program listens and accepts, in an active one it connects before the first
 * line. It reads whatever comes. After the name come settings,
 *
 *	irs N			the peer's initial sequence number
 *	port N			the peer's port
 *	sysctl NAME VALUE	NAME as in /proc/sys, with slashes
 *	socket NAME VALUE	an option of the socket, see option_names[]
 *
 * and steps, each after "+MS", the time since the step before:
 *
 *	< PACKET		in the notation of packet.h; "@" in it is the right
 *				edge of the window in the kernel's SYN or SYN-ACK
 *	<! PACKET		the same with a wrong checksum
 *	icmp hard|soft [SEQ]	an error about the kernel's segment at SEQ
 *	send N, shut, close	what the program does with the connection
 *	unlisten		it closes the listening socket
 *	wait			nothing
 *
 * "#" begins a comment.
 */
#ifndef DIFFER_SCRIPT_H
#define DIFFER_SCRIPT_H

#include <stdio.h>

#include "../wire/packet.h"

#define SCRIPT_STEPS	24
#define SCRIPT_SETTINGS	6
#define SCRIPT_TEXT	224

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif

/**
 * struct step - one of a script
 * @at_ms:	when, from the beginning of the script
 * @text:	what, as in the file
 */
struct step {
	u32 at_ms;
	char text[SCRIPT_TEXT];
};

/**
 * struct script - a script
 * @name:	what the file or the generator calls it
 * @active:	the kernel connects
 * @irs:	the peer's initial sequence number
 * @irs_given:	@irs is valid
 * @port:	the peer's port, or -1 for any
 * @steps:	how many
 * @step:	what happens
 * @settings:	how many
 * @setting:	sysctl and socket lines, as in the file
 */
struct script {
	char name[SCRIPT_TEXT];
	bool active;
	u32 irs;
	bool irs_given;
	int port;
	unsigned int steps;
	struct step step[SCRIPT_STEPS];
	unsigned int settings;
	char setting[SCRIPT_SETTINGS][SCRIPT_TEXT];
};

/* The next script of a file; false at its end. abort() on nonsense. */
bool script_read(struct script *script, FILE *file);
/* The script as a file has it, each line behind @prefix. */
void script_print(const struct script *script, const char *prefix);
/* Another step, so long after the last one. */
void __printf(3, 4) script_add(struct script *script, u32 after_ms,
			       const char *format, ...);
/* An empty script. */
void __printf(3, 4) script_start(struct script *script, bool active,
				 const char *format, ...);
/* Without one of its steps; the others happen when they did. */
void script_drop(struct script *script, unsigned int step);

/* The script that this seed makes. */
void script_generate(struct script *script, u32 seed);

/* Where a segment with any flags is to arrive. */
enum flag_state {
	FLAGS_LISTEN,
	FLAGS_SYN_RECEIVED,
	FLAGS_SYN_SENT,
	FLAGS_CROSSED,
	FLAG_STATES,
};

extern const char * const flag_state_names[FLAG_STATES];

/* Combinations of FIN, SYN, RST, PSH, ACK and URG. */
#define FLAG_SETS	64

/* The script that tries one of them, without data and then with some. */
void script_flags(struct script *script, enum flag_state state, u32 flags);

#endif /* DIFFER_SCRIPT_H */
