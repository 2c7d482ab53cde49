// SPDX-License-Identifier: GPL-2.0
/*
 * threeway: words of a command line, and the values in them
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "args.h"
#include "error.h"
#include "tool.h"

struct args args_of(char **words, int count)
{
	struct args args = { .words = words };

	while (args.left < count && strcmp(words[args.left], "#"))
		args.left++;
	return args;
}

char *args_next(struct args *args)
{
	if (!args->left)
		return NULL;
	args->left--;
	return *args->words++;
}

int args_value(struct args *args, const char *name, const char *expected,
	       const char **value)
{
	*value = args_next(args);
	if (!*value)
		return usage_error("%s: no value, expected %s", name, expected);
	return STATUS_OK;
}

/* The keywords that begin with word, or all of them if all. */
static const char *list_candidates(const struct keyword *table, const char *word, bool all,
				   char *buf, size_t size)
{
	size_t used = 0;

	*buf = '\0';
	for (; table->word; table++) {
		if (!all && strncasecmp(table->word, word, strlen(word)))
			continue;
		if (used < size)
			used += snprintf(buf + used, size - used, "%s%s", used ? ", " : "",
					 table->word);
	}
	return buf;
}

enum { KEYWORD_UNKNOWN = -1, KEYWORD_AMBIGUOUS = -2 };

typedef int compare_fn(const char *a, const char *b, size_t length);

static int keyword_find(const struct keyword *table, const char *word, compare_fn *compare)
{
	const struct keyword *found = NULL;
	size_t length = strlen(word);
	bool ambiguous = false;

	/* An empty word abbreviates everything, and nothing in particular. */
	for (; length && table->word; table++) {
		if (!compare(table->word, word, length + 1))
			return table->value;
		if (compare(table->word, word, length))
			continue;
		/* "remote" stands for itself, not for "remote_port" that follows. */
		if (!found)
			found = table;
		else if (found->value != table->value &&
			 strncmp(found->word, table->word, strlen(found->word)))
			ambiguous = true;
	}
	if (!found)
		return KEYWORD_UNKNOWN;
	return ambiguous ? KEYWORD_AMBIGUOUS : found->value;
}

int keyword_parse(const struct keyword *table, const char *where, const char *help,
		  const char *word, int *value)
{
	char buf[512];

	*value = keyword_find(table, word, strncmp);
	if (*value == KEYWORD_AMBIGUOUS)
		return usage_error("%s \"%s\" is ambiguous: %s", where, word,
				   list_candidates(table, word, false, buf, sizeof(buf)));
	if (*value == KEYWORD_UNKNOWN)
		return usage_error("%s \"%s\" is unknown, try \"%s\"", where, word, help);
	return STATUS_OK;
}

int keyword_value(const struct keyword *table, const char *name, const char *text,
		  int *value)
{
	char buf[512];

	*value = keyword_find(table, text, strncasecmp);
	if (*value < 0)
		return usage_error("%s \"%s\": expected %s", name, text,
				   list_candidates(table, text, *value == KEYWORD_UNKNOWN,
						   buf, sizeof(buf)));
	return STATUS_OK;
}

const char *keyword_name(const struct keyword *table, int value, char buf[16])
{
	for (; table->word; table++)
		if (table->value == value)
			return table->word;
	snprintf(buf, 16, "%d", value);
	return buf;
}

int keyword_once(unsigned int *given, unsigned int bit, const char *name)
{
	if (*given & bit)
		return usage_error("%s is given twice", name);
	*given |= bit;
	return STATUS_OK;
}

/* strtoull() without its love of signs, blanks and octal numbers. */
static bool read_number(const char *text, bool hex, unsigned long long *number)
{
	char *end;
	int base = 10;

	if (hex && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		text += 2;
		base = 16;
	}
	if (!(base == 16 ? isxdigit((unsigned char)*text) : isdigit((unsigned char)*text)))
		return false;
	errno = 0;
	*number = strtoull(text, &end, base);
	return !*end && !errno;
}

int parse_number(const char *name, const char *text, __u32 min, __u32 max, bool hex,
		 __u32 *number)
{
	unsigned long long value;

	if (!read_number(text, hex, &value) || value < min || value > max)
		return usage_error("%s \"%s\": expected %u-%u", name, text, min, max);
	*number = value;
	return STATUS_OK;
}

int parse_id(const char *name, const char *text, __u64 *id)
{
	unsigned long long value;

	if (!read_number(text, false, &value) || !value)
		return usage_error("%s \"%s\": expected a number from 1", name, text);
	*id = value;
	return STATUS_OK;
}

static bool read_port(const char *text, __u16 *port)
{
	unsigned long long value;

	if (!read_number(text, false, &value) || !value || value > 65535)
		return false;
	*port = value;
	return true;
}

int parse_ports(const char *name, const char *text, struct port_range *ports)
{
	const char *dash = strchr(text, '-');
	char first[8];

	if (!strcmp(text, "any")) {
		ports->first = 0;
		ports->last = 0;
		return STATUS_OK;
	}
	if (snprintf(first, sizeof(first), "%.*s",
		     dash ? (int)(dash - text) : (int)strlen(text), text) >= (int)sizeof(first) ||
	    !read_port(first, &ports->first) ||
	    !read_port(dash ? dash + 1 : text, &ports->last))
		return usage_error("%s \"%s\": expected " PORTS_EXPECTED, name, text);
	if (ports->last < ports->first)
		return usage_error("%s \"%s\": the first port is above the last, expected %u-%u",
				   name, text, ports->last, ports->first);
	return STATUS_OK;
}

const char *format_ports(const struct port_range *ports, char buf[PORTS_MAX])
{
	if (!ports->first)
		return "any";
	if (ports->first == ports->last)
		snprintf(buf, PORTS_MAX, "%u", ports->first);
	else
		snprintf(buf, PORTS_MAX, "%u-%u", ports->first, ports->last);
	return buf;
}

static const char *family_reason(void)
{
	switch (options.family) {
	case AF_INET:
		return "as -4 says";
	case AF_INET6:
		return "as -6 says";
	default:
		return "like the other one";
	}
}

static const char *family_name(int family)
{
	return family == AF_INET6 ? "IPv6" : "IPv4";
}

static unsigned int family_bits(int family)
{
	return family == AF_INET6 ? 128 : 32;
}

/* Clears the bits beyond the prefix; true if one was set. */
static bool clear_host_bits(struct prefix *prefix)
{
	bool cleared = false;
	unsigned int bit;

	for (bit = prefix->length; bit < family_bits(prefix->family); bit++) {
		__u8 mask = 0x80 >> bit % 8;

		if (prefix->address[bit / 8] & mask)
			cleared = true;
		prefix->address[bit / 8] &= ~mask;
	}
	return cleared;
}

static int read_prefix(const char *name, const char *text, struct prefix *prefix)
{
	static const __u8 unspecified[16];
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	__u32 length;

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	length = family_bits(prefix->family);
	if (snprintf(address, sizeof(address), "%.*s",
		     slash ? (int)(slash - text) : (int)strlen(text),
		     text) >= (int)sizeof(address) ||
	    inet_pton(prefix->family, address, prefix->address) != 1)
		return usage_error("%s \"%s\": expected an IPv4 or IPv6 " PREFIX_EXPECTED,
				   name, text);
	if (slash) {
		unsigned long long value;

		if (!read_number(slash + 1, false, &value) || value > length)
			return usage_error("%s \"%s\": expected a length of 0-%u after the /",
					   name, text, length);
		length = value;
	}
	prefix->length = length;
	/* Nobody has this address; whoever writes it means something else. */
	if (length == family_bits(prefix->family) &&
	    !memcmp(prefix->address, unspecified, sizeof(unspecified)))
		return usage_error("%s \"%s\": expected %s/0 for every %s address, or any",
				   name, text, address, family_name(prefix->family));
	return STATUS_OK;
}

int parse_prefix(const char *name, const char *text, int *family, struct prefix *prefix)
{
	char buf[PREFIX_MAX];
	int status;

	if (!strcmp(text, "any")) {
		memset(prefix, 0, sizeof(*prefix));
		return STATUS_OK;
	}
	status = read_prefix(name, text, prefix);
	if (status)
		return status;
	if (*family != AF_UNSPEC && *family != prefix->family)
		return usage_error("%s \"%s\": expected an %s address, %s", name, text,
				   family_name(*family), family_reason());
	if (clear_host_bits(prefix))
		return usage_error("%s \"%s\": bits are set beyond the prefix length, expected %s",
				   name, text, format_prefix(prefix, buf));
	*family = prefix->family;
	return STATUS_OK;
}

const char *format_prefix(const struct prefix *prefix, char buf[PREFIX_MAX])
{
	size_t used;

	if (prefix->family == AF_UNSPEC)
		return "any";
	if (!inet_ntop(prefix->family, prefix->address, buf, PREFIX_MAX))
		return "?";
	used = strlen(buf);
	if (prefix->length < family_bits(prefix->family))
		snprintf(buf + used, PREFIX_MAX - used, "/%u", prefix->length);
	return buf;
}

bool prefix_contains(const struct prefix *prefix, int family, const __u8 *address)
{
	unsigned int bytes = prefix->length / 8, bits = prefix->length % 8;

	if (prefix->family == AF_UNSPEC)
		return true;
	if (prefix->family != family || memcmp(prefix->address, address, bytes))
		return false;
	return !bits || !((prefix->address[bytes] ^ address[bytes]) >> (8 - bits));
}
