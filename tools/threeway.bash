# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# bash completion for threeway(8)

_threeway_reply()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

# The first word of the list that begins with the abbreviation $1.
_threeway_expand()
{
	local word

	for word in "${@:2}"; do
		[[ $word != "$1"* ]] || { echo "$word"; return; }
	done
}

_threeway_ids()
{
	threeway "${namespace[@]}" -j "$1" show 2>/dev/null |
		grep -o '"id":[0-9]*' | cut -d: -f2
}

# Values of the word before the cursor; false when it has none.
_threeway_value()
{
	case $1:$2 in
	open:local | open:remote | open:port)
		COMPREPLY=() ;;
	*:local | *:remote)
		_threeway_reply "any" ;;
	*:port | *:remote_port)
		_threeway_reply "any" ;;
	*:file | *:write | *:peer | *:svg)
		compopt -o default 2>/dev/null
		COMPREPLY=() ;;
	flow:claim | monitor:claim | ladder:claim)
		_threeway_reply "$(_threeway_ids claim)" ;;
	claim:id | flow:id)
		_threeway_reply "$(_threeway_ids "$1")" ;;
	monitor:id | ladder:id)
		_threeway_reply "$(_threeway_ids flow)" ;;
	flow:state | monitor:state)
		_threeway_reply "SYN-SENT SYN-RECEIVED ESTABLISHED" ;;
	claim:mode)
		_threeway_reply "handoff hold observe" ;;
	*:freeze)
		_threeway_reply "none syn-sent syn-received final-ack refuse" ;;
	*:cookies)
		_threeway_reply "never auto always" ;;
	*:cookie_path | *:synack_path)
		_threeway_reply "late early" ;;
	*:isn)
		_threeway_reply "engine kernel fixed:" ;;
	*:sack | *:timestamps | *:window_scaling | *:ecn)
		_threeway_reply "on off" ;;
	open:dev)
		_threeway_reply "$(ip -br link 2>/dev/null | cut -d' ' -f1 | cut -d@ -f1)" ;;
	*:synack_retries | *:rto_initial_ms | *:rto_max_ms | *:backlog | *:syn_retries | \
	*:syn_linear_timeouts | *:lifetime_ms | *:delay_ms | *:lose | \
	*:source_rate | *:source_burst | *:source_flows | open:local_port)
		COMPREPLY=() ;;
	*)
		return 1 ;;
	esac
}

_threeway_words()
{
	local policy="synack_retries rto_initial_ms rto_max_ms backlog isn sack
		timestamps window_scaling ecn syn_retries syn_linear_timeouts freeze
		lifetime_ms delay_ms lose cookies cookie_path synack_path
		source_rate source_burst source_flows"

	case $1:$2 in
	claim:add)
		_threeway_reply "passive active local port remote mode $policy help" ;;
	claim:del | claim:show | claim:flush)
		_threeway_reply "id passive active local port remote mode $policy help" ;;
	flow:show | flow:kill)
		_threeway_reply "all state local port remote remote_port claim id help" ;;
	open:*)
		_threeway_reply "remote port local local_port dev $policy wait help" ;;
	monitor:*)
		_threeway_reply "state local port remote remote_port claim id file write help" ;;
	ladder:*)
		_threeway_reply "local port remote remote_port claim id live file peer svg help" ;;
	lab:list | lab:help)
		COMPREPLY=() ;;
	lab:?*)
		_threeway_reply "svg keep syn_retries help" ;;
	lab:)
		_threeway_reply "$(threeway lab help | sed -n 's/^  *\([a-z-]*\)  .*/\1/p') all list help" ;;
	secret:set)
		_threeway_reply "file help" ;;
	secret:)
		_threeway_reply "set random help" ;;
	stat:show)
		_threeway_reply "all $(threeway stat help | grep -o '^ .*')" ;;
	claim:)
		_threeway_reply "add del show flush help" ;;
	flow:)
		_threeway_reply "show kill help" ;;
	stat:)
		_threeway_reply "show help" ;;
	*)
		COMPREPLY=() ;;
	esac
}

_threeway_options()
{
	case $1 in
	-n* | --n*)
		_threeway_reply "$(ip netns list 2>/dev/null | cut -d' ' -f1)" ;;
	-b* | --b*)
		compopt -o default
		COMPREPLY=() ;;
	*)
		return 1 ;;
	esac
}

_threeway()
{
	local index=1 object command namespace=()
	local options="-Version -help -statistics -json -pretty -echo -netns -4 -6
		-batch -force -color -timestamp -tshort -ascii"

	while [[ $index -lt $COMP_CWORD && ${COMP_WORDS[index]} == -* ]]; do
		case ${COMP_WORDS[index]} in
		-n* | --n*)
			namespace=(-n "${COMP_WORDS[index + 1]}")
			index=$((index + 1)) ;;
		-b* | --b*)
			index=$((index + 1)) ;;
		esac
		index=$((index + 1))
	done

	if [[ $index -gt $COMP_CWORD ]]; then
		_threeway_options "${COMP_WORDS[COMP_CWORD - 1]}"
	elif [[ $index -eq $COMP_CWORD ]]; then
		_threeway_reply "claim flow open stat secret monitor ladder lab help $options"
	else
		object=$(_threeway_expand "${COMP_WORDS[index]}" claim flow open stat secret monitor ladder lab)
		command=
		if [[ $object != @(open|monitor|ladder) && $((index + 1)) -lt $COMP_CWORD ]]; then
			index=$((index + 1))
			command=$(_threeway_expand "${COMP_WORDS[index]}" add del show flush kill set random)
			# Its commands are the names of experiments.
			[[ $object != lab ]] || command=${COMP_WORDS[index]}
		fi
		# What stands before the first word has no value.
		if [[ $((index + 1)) -eq $COMP_CWORD ]] ||
		   ! _threeway_value "$object" "${COMP_WORDS[COMP_CWORD - 1]}"; then
			_threeway_words "$object" "$command"
		fi
	fi
}

complete -F _threeway threeway
