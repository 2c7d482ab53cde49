/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threeway: words of a command line, and the values in them
 *
 * Functions that return an int return STATUS_OK, or the exit code of the error
 * that they have printed. "name" is the word that the message blames.
 */
#ifndef _ARGS_H
#define _ARGS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * struct args - the words that are left
 * @words:	the next word
 * @left:	how many there are
 */
struct args {
	char **words;
	int left;
};

/* A word "#" ends the command, as it does in a batch file. */
struct args args_of(char **words, int count);

/* The next word, NULL at the end. */
char *args_next(struct args *args);

/* The value after the word name; expected says in words what it can be. */
int args_value(struct args *args, const char *name, const char *expected,
	       const char **value);

/**
 * struct keyword - a word and what it stands for
 * @word:	the full word, NULL ends a table
 * @value:	not negative; words with the same value are synonyms
 */
struct keyword {
	const char *word;
	int value;
};

/*
 * The value of the keyword that word abbreviates; where says, for the message,
 * which words were expected, help how to read more.
 */
int keyword_parse(const struct keyword *table, const char *where, const char *help,
		  const char *word, int *value);
/* The same for the value of name, in whatever case it is written. */
int keyword_value(const struct keyword *table, const char *name, const char *text,
		  int *value);
/* The first word with this value, or the number itself, in buf if need be. */
const char *keyword_name(const struct keyword *table, int value, char buf[16]);

/* A word may stand only once in a command; bit is its own in given. */
int keyword_once(unsigned int *given, unsigned int bit, const char *name);

/* A decimal number, or a hexadecimal one with 0x where hex. */
int parse_number(const char *name, const char *text, __u32 min, __u32 max, bool hex,
		 __u32 *number);
int parse_id(const char *name, const char *text, __u64 *id);

/**
 * struct port_range - a range of ports
 * @first:	first port, 0 with @last 0 for every port
 * @last:	last port
 */
struct port_range {
	__u16 first;
	__u16 last;
};

#define PORTS_EXPECTED	"1-65535, FIRST-LAST or any"
/* PORT, FIRST-LAST or any. */
int parse_ports(const char *name, const char *text, struct port_range *ports);

#define PORTS_MAX	12
/* What parse_ports() reads. */
const char *format_ports(const struct port_range *ports, char buf[PORTS_MAX]);

/**
 * struct prefix - an address prefix
 * @family:	AF_INET, AF_INET6, or AF_UNSPEC for any address
 * @length:	significant bits
 * @address:	IPv4 in the first four bytes
 */
struct prefix {
	int family;
	__u8 length;
	__u8 address[16];
};

#define PREFIX_EXPECTED	"ADDRESS, ADDRESS/LENGTH or any"
/*
 * ADDRESS, ADDRESS/LENGTH or any. The family of the address must agree with
 * *family unless that is AF_UNSPEC, and is stored there.
 */
int parse_prefix(const char *name, const char *text, int *family, struct prefix *prefix);

#define PREFIX_MAX	64
/* What parse_prefix() reads. */
const char *format_prefix(const struct prefix *prefix, char buf[PREFIX_MAX]);

bool prefix_contains(const struct prefix *prefix, int family, const __u8 *address);

#endif /* _ARGS_H */
