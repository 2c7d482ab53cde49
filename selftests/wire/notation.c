// SPDX-License-Identifier: GPL-2.0
/* Packets as text: see packet.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "packet.h"

/* The place in a line that is being read. */
struct cursor {
	const char *line;
	const char *at;
};

static void bad_line(const struct cursor *cursor)
{
	fprintf(stderr, "# no packet: \"%s\", at \"%s\"\n", cursor->line,
		cursor->at);
	abort();
}

static void skip_space(struct cursor *cursor)
{
	while (isspace((unsigned char)*cursor->at))
		cursor->at++;
}

static bool take(struct cursor *cursor, const char *word)
{
	size_t len = strlen(word);

	skip_space(cursor);
	if (strncmp(cursor->at, word, len) ||
	    (isalpha((unsigned char)word[len - 1]) &&
	     isalpha((unsigned char)cursor->at[len])))
		return false;
	cursor->at += len;
	return true;
}

static void need(struct cursor *cursor, const char *word)
{
	if (!take(cursor, word))
		bad_line(cursor);
}

static u32 number(struct cursor *cursor)
{
	char *end;
	long long value;

	skip_space(cursor);
	value = strtoll(cursor->at, &end, 0);
	if (end == cursor->at)
		bad_line(cursor);
	cursor->at = end;
	return value;
}

/* A number that may be "*" (*any set) or absolute ("=N"). */
static u32 place(struct cursor *cursor, u32 origin, bool *any)
{
	*any = take(cursor, "*");
	if (*any)
		return 0;
	return take(cursor, "=") ? number(cursor) : origin + number(cursor);
}

static u16 scan_flags(struct cursor *cursor)
{
	static const char letters[] = "FSRP.UEW";
	u16 flags = 0;
	const char *letter;

	skip_space(cursor);
	if (take(cursor, "-"))
		return 0;
	while (*cursor->at && !isspace((unsigned char)*cursor->at)) {
		letter = strchr(letters, *cursor->at);
		if (!letter)
			bad_line(cursor);
		flags |= 1 << (letter - letters);
		cursor->at++;
	}
	return flags;
}

/* SEQ, SEQ:END, SEQ(LEN) or SEQ:END(LEN) */
static void scan_seq(struct cursor *cursor, struct pattern *pattern,
		     const struct origin *origin)
{
	struct packet *packet = &pattern->packet;
	u32 end;
	bool any, ends;

	packet->seq = place(cursor, origin->seq, &pattern->any_seq);
	ends = take(cursor, ":");
	end = ends ? place(cursor, origin->seq, &any) : 0;
	if (take(cursor, "(")) {
		packet->data_len = number(cursor);
		need(cursor, ")");
		if (ends && end - packet->seq != packet->data_len)
			bad_line(cursor);
	} else if (ends) {
		packet->data_len = end - packet->seq;
	}
}

static void add_octets(struct pattern *pattern, u32 value, size_t len,
		       bool compare)
{
	struct packet *packet = &pattern->packet;

	while (len--) {
		if (packet->options_len == OPTIONS_MAX) {
			fprintf(stderr, "# more than 40 octets of options\n");
			abort();
		}
		packet->options[packet->options_len] = value >> 8 * len;
		pattern->option_mask[packet->options_len++] =
			compare ? 0xff : 0;
	}
}

static void add_number(struct cursor *cursor, struct pattern *pattern,
		       size_t len, u32 latest)
{
	bool any = take(cursor, "*");
	u32 value = 0;

	if (take(cursor, "^")) {
		take(cursor, "+");
		value = latest;
		if (isdigit((unsigned char)*cursor->at) || *cursor->at == '-')
			value += number(cursor);
	} else if (!any) {
		value = number(cursor);
	}
	add_octets(pattern, value, len, !any);
}

static void scan_raw(struct cursor *cursor, struct pattern *pattern)
{
	unsigned int octet;
	int used;

	skip_space(cursor);
	while (isxdigit((unsigned char)*cursor->at)) {
		if (sscanf(cursor->at, "%2x%n", &octet, &used) != 1 ||
		    used != 2)
			bad_line(cursor);
		add_octets(pattern, octet, 1, true);
		cursor->at += used;
	}
}

static void scan_option(struct cursor *cursor, struct pattern *pattern,
			const struct origin *origin)
{
	if (take(cursor, "mss")) {
		add_octets(pattern, 0x0204, 2, true);
		add_number(cursor, pattern, 2, 0);
	} else if (take(cursor, "sackOK")) {
		add_octets(pattern, 0x0402, 2, true);
	} else if (take(cursor, "TS")) {
		add_octets(pattern, 0x080a, 2, true);
		need(cursor, "val");
		add_number(cursor, pattern, 4, origin->tsval);
		need(cursor, "ecr");
		add_number(cursor, pattern, 4, origin->tsval);
	} else if (take(cursor, "wscale")) {
		add_octets(pattern, 0x0303, 2, true);
		add_number(cursor, pattern, 1, 0);
	} else if (take(cursor, "sack")) {
		add_octets(pattern, 0x050a, 2, true);
		add_octets(pattern, origin->ack + number(cursor), 4, true);
		need(cursor, ":");
		add_octets(pattern, origin->ack + number(cursor), 4, true);
	} else if (take(cursor, "nop")) {
		add_octets(pattern, 1, 1, true);
	} else if (take(cursor, "eol")) {
		add_octets(pattern, 0, 1, true);
	} else if (take(cursor, "raw")) {
		scan_raw(cursor, pattern);
	} else {
		bad_line(cursor);
	}
}

static void scan_options(struct cursor *cursor, struct pattern *pattern,
			 const struct origin *origin)
{
	pattern->any_options = false;
	if (take(cursor, ">"))
		return;
	do {
		scan_option(cursor, pattern, origin);
	} while (take(cursor, ","));
	need(cursor, ">");
}

static void scan_rest(struct cursor *cursor, struct pattern *pattern,
		      const struct origin *origin)
{
	struct packet *packet = &pattern->packet;

	for (;;) {
		skip_space(cursor);
		if (!*cursor->at)
			return;
		if (take(cursor, "ack")) {
			packet->ack = place(cursor, origin->ack,
					    &pattern->any_ack);
		} else if (take(cursor, "win")) {
			packet->window = place(cursor, 0,
					       &pattern->any_window);
		} else if (take(cursor, "urg")) {
			packet->urgent = place(cursor, 0,
					       &pattern->any_urgent);
		} else if (take(cursor, "ttl")) {
			packet->ttl = place(cursor, 0, &pattern->any_ttl);
		} else if (take(cursor, "tos")) {
			packet->tos = place(cursor, 0, &pattern->any_tos);
		} else if (take(cursor, "res")) {
			packet->flags |= number(cursor) << 8;
		} else if (take(cursor, "<")) {
			scan_options(cursor, pattern, origin);
		} else {
			bad_line(cursor);
		}
	}
}

void packet_scan(struct pattern *pattern, const char *line,
		 const struct origin *origin)
{
	struct cursor cursor = { .line = line, .at = line };

	memset(pattern, 0, sizeof(*pattern));
	pattern->any_ack = true;
	pattern->any_window = true;
	pattern->any_urgent = true;
	pattern->any_ttl = true;
	pattern->any_tos = true;
	pattern->any_options = true;
	pattern->packet.flags = scan_flags(&cursor);
	scan_seq(&cursor, pattern, origin);
	scan_rest(&cursor, pattern, origin);
	/* Without "ack", the field of a segment without ACK is 0. */
	if (!(pattern->packet.flags & FLAG_ACK))
		pattern->any_ack = false;
}

bool packet_matches(const struct packet *packet, const struct pattern *pattern)
{
	const struct packet *want = &pattern->packet;
	size_t i;

	if (packet->icmp || packet->flags != want->flags ||
	    packet->data_len != want->data_len)
		return false;
	if ((!pattern->any_seq && packet->seq != want->seq) ||
	    (!pattern->any_ack && packet->ack != want->ack) ||
	    (!pattern->any_window && packet->window != want->window) ||
	    (!pattern->any_urgent && packet->urgent != want->urgent) ||
	    (!pattern->any_ttl && packet->ttl != want->ttl) ||
	    (!pattern->any_tos && packet->tos != want->tos))
		return false;
	if (pattern->any_options)
		return true;
	if (packet->options_len != ((want->options_len + 3) & ~3UL))
		return false;
	for (i = 0; i < packet->options_len; i++) {
		if (i >= want->options_len ? packet->options[i] :
		    (packet->options[i] ^ want->options[i]) &
		    pattern->option_mask[i])
			return false;
	}
	return true;
}

/* Text that is being put together. */
struct text {
	char *to;
	size_t room;
};

static void __printf(2, 3) say(struct text *text, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text->to, text->room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= text->room)
		len = text->room - 1;
	text->to += len;
	text->room -= len;
}

static u32 octets(const u8 *p, size_t len)
{
	u32 value = 0;

	while (len--)
		value = value << 8 | *p++;
	return value;
}

/* Octets of the option at @p; unreadable ones are printed as raw. */
static size_t print_option(struct text *text, const u8 *p, size_t len,
			   const struct origin *origin)
{
	size_t i, size = len > 1 ? p[1] : 0;

	if (*p < 2) {
		say(text, *p ? "nop" : "eol");
		return 1;
	}
	if (size < 2 || size > len)
		size = len;
	else if (*p == 2 && size == 4)
		return say(text, "mss %u", octets(p + 2, 2)), size;
	else if (*p == 3 && size == 3)
		return say(text, "wscale %u", p[2]), size;
	else if (*p == 4 && size == 2)
		return say(text, "sackOK"), size;
	else if (*p == 5 && size == 10)
		return say(text, "sack %d:%d",
			   (int)(octets(p + 2, 4) - origin->ack),
			   (int)(octets(p + 6, 4) - origin->ack)), size;
	else if (*p == 8 && size == 10 && origin->hide_tsval)
		return say(text, "TS val * ecr %u", octets(p + 6, 4)), size;
	else if (*p == 8 && size == 10)
		return say(text, "TS val %u ecr %u", octets(p + 2, 4),
			   octets(p + 6, 4)), size;
	say(text, "raw ");
	for (i = 0; i < size; i++)
		say(text, "%02x", p[i]);
	return size;
}

char *packet_print(const struct packet *packet, const struct origin *origin,
		   char line[LINE_MAX_LEN])
{
	struct text text = { .to = line, .room = LINE_MAX_LEN };
	static const char letters[] = "FSRP.UEW";
	u32 seq = packet->seq - origin->seq;
	size_t i;

	if (packet->icmp) {
		say(&text, "ICMP type %d code %d", packet->icmp >> 8,
		    packet->icmp & 0xff);
		return line;
	}
	for (i = 0; i < 8; i++) {
		if (packet->flags & 1 << i)
			say(&text, "%c", letters[i]);
	}
	say(&text, packet->flags & FLAG_ALL ? " " : "- ");
	/*
	 * A number far from the origin is easier to read as it stands; so is
	 * the 0 of a RST that has no number, wherever the origin happens to be.
	 */
	if (seq + (1U << 20) > 1U << 21 ||
	    (!packet->seq && packet->flags & FLAG_RST))
		say(&text, "=%u(%zu)", packet->seq, packet->data_len);
	else
		say(&text, "%d:%d(%zu)", (int)seq,
		    (int)(seq + packet->data_len), packet->data_len);
	if (packet->flags & FLAG_ACK)
		say(&text, " ack %d", (int)(packet->ack - origin->ack));
	say(&text, " win %u", packet->window);
	if (packet->urgent)
		say(&text, " urg %u", packet->urgent);
	if (packet->flags >> 8)
		say(&text, " res %u", packet->flags >> 8);
	say(&text, " ttl %u tos %#x%s%s%s", packet->ttl, packet->tos,
	    packet->df ? " df" : "", packet->ip_id ? " id" : "",
	    packet->flow_label ? " label" : "");
	if (packet->extension_len)
		say(&text, " extension %zu", packet->extension_len);
	say(&text, " <");
	for (i = 0; i < packet->options_len;) {
		i += print_option(&text, packet->options + i,
				  packet->options_len - i, origin);
		say(&text, i < packet->options_len ? "," : "");
	}
	say(&text, ">");
	return line;
}
