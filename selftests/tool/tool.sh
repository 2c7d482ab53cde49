#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# threeway against the module: claims, flows, counters, namespaces, errors; as
# text and as JSON.
#
#	   server                    client
#	httpd :80, :81  veth ------ veth   its firewall drops every SYN-ACK,
#	claims          .1          .2     so that flows stay half-open
#
. "$(dirname "$0")/../lib.sh"

# run WORDS...: sets out, err and status
run()
{
	local errors

	errors=$(mktemp)
	status=0
	out=$(threeway "$@" 2>"$errors") || status=$?
	err=$(cat "$errors")
	rm -f "$errors"
}

# fails NAME STATUS MESSAGE WORDS...
fails()
{
	run "${@:4}"
	check_equal "$1" "$status $err$out" "$2 threeway: $3"
}

# lines NS: the claims without what is behind the #
lines()
{
	threeway -n "$1" claim show | sed 's/  #.*//'
}

# json NS FILTER WORDS...: what jq makes of the output
json()
{
	threeway -n "$1" -json -s "${@:3}" | jq -c "$2"
}

# claim_id NS PORTS: the id of the claim
claim_id()
{
	json "$1" ".[] | select(.port == \"$2\") | .id" claim show
}

claims=(
	"passive local any port 80 remote any mode handoff"
	"passive local 192.0.2.0/24 port 80-90 remote 198.51.100.0/24 mode handoff synack_retries 0 rto_initial_ms 100 rto_max_ms 120000 backlog 7"
	"passive local 2001:db8::1 port any remote ::/0 mode handoff isn fixed:4294967295 sack off timestamps on window_scaling off ecn on"
	"passive local 0.0.0.0/0 port 443 remote 0.0.0.0/0 mode handoff isn kernel"
	"passive local any port 443 remote any mode handoff isn engine"
)

# added [COUNT]: the claims, or the first of them
added()
{
	printf '%s\n' "${claims[@]:0:${1:-5}}"
}

# add_commands: commands that add what is read
add_commands()
{
	sed 's/^/claim add /'
}

test_claim_show()
{
	check_equal "no claims: no output" "$(threeway -n server claim show)" ""
	check_equal "no claims: an empty array" "$(threeway -n server -j claim show)" "[]"

	check "claim add, by batch" threeway -n server -b - < <(added | add_commands)
	check_equal "claim show gives back what was added" "$(lines server)" "$(added)"
	check_equal "-4 claim show: claims for IPv4 alone" \
		"$(threeway -n server -4 claim show | wc -l)" 2
	check_equal "-6 claim show: claims for IPv6 alone" \
		"$(json server '[.[].local]' -6 claim show)" '["2001:db8::1"]'
	check_equal "claim show WORDS" \
		"$(json server '[.[].isn]' claim show port 443)" '["kernel","engine"]'
	check_equal "claim show id" \
		"$(json server '[.[].port]' claim show id "$(claim_id server 80-90)")" '["80-90"]'
	check_equal "the module lists as many claims" \
		"$(in_ns server grep -c handoff /proc/net/threeway/claims)" 5
}

test_claim_json()
{
	check_equal "JSON: selector" \
		"$(json server '[.[0] | .direction, .local, .port, .remote, .mode]' claim show)" \
		'["passive","any","80","any","handoff"]'
	check_equal "JSON: numbers" \
		"$(json server '[.[1] | .synack_retries, .rto_initial_ms, .rto_max_ms, .backlog]' \
			claim show)" '[0,100,120000,7]'
	check_equal "JSON: isn and switches" \
		"$(json server '[.[2] | .isn, .sack, .timestamps, .window_scaling, .ecn]' claim show)" \
		'["fixed:4294967295",false,true,false,true]'
	check_equal "JSON: what is not set is left out" \
		"$(json server '.[0] | keys' claim show)" \
		'["direction","flows","handed_over","id","local","mode","opened","port","remote"]'
	check_equal "JSON: -pretty is the same" \
		"$(threeway -n server -j -p claim show | jq -c .)" "$(threeway -n server -j claim show)"
	check "JSON: -pretty is on several lines" \
		test "$(threeway -n server -j -p claim show | wc -l)" -gt 40
}

test_claim_round_trip()
{
	local line

	check "claim show fed to claim add, by batch" threeway -n client -b - \
		< <(threeway -n server -s claim show | add_commands)
	check_equal "the same claims" "$(lines client)" "$(added)"
	check "claim flush" threeway -n client claim flush
	check_equal "all gone" "$(threeway -n client claim show)" ""
	threeway -n server claim show | while read -r line; do
		# shellcheck disable=SC2086 # words
		threeway -n client claim add $line || echo "failed: $line"
	done >"$scratch"
	check_equal "claim show fed to claim add, as words" "$(cat "$scratch")$(lines client)" "$(added)"
	threeway -n client claim show | while read -r line; do
		# shellcheck disable=SC2086 # words
		threeway -n client claim del $line || echo "failed: $line"
	done >"$scratch"
	check_equal "claim show fed to claim del" \
		"$(cat "$scratch")$(threeway -n client claim show)" ""
}

test_claim_errors()
{
	fails "EEXIST names the claim" 2 \
		"claim add: File exists (claim id $(claim_id server 80) has these addresses and ports)" \
		-n server claim add passive port 80 synack_retries 1
	fails "claim del: no such id" 1 \
		'claim del: no claim matches, try "threeway claim show"' -n server claim del id 4294967295
	fails "claim del: words of several claims" 1 \
		"claim del: 5 claims match, say which: id 1, 2, 3, 4, 5" \
		-n server claim del passive mode handoff
	check_equal "a failure changes nothing" "$(lines server)" "$(added)"
}

test_claim_del()
{
	local id

	check "claim del WORDS takes the claim that add would make" \
		threeway -n server claim del port 443
	check_equal "that one is gone" "$(lines server)" "$(added 4)"
	check "claim del WORDS" threeway -n server claim del port 443
	check "claim del POLICY" threeway -n server claim del isn fixed:0xffffffff
	check "claim del id" threeway -n server claim del id "$(claim_id server 80-90)"
	check_equal "the others stay" "$(lines server)" "$(added 1)"
	id=$(json server '.[0].id' -e claim add passive port 81)
	check_equal "-echo claim add tells the id" "$id" "$(claim_id server 81)"
	check_equal "-echo claim del tells what went" \
		"$(threeway -n server -e claim del port 81)" \
		"passive local any port 81 remote any mode handoff  # id $id"
	threeway -n server claim add passive port 81
	check "an id is not used again" test "$(claim_id server 81)" -gt "$id"
	check "claim flush WORDS" threeway -n server claim flush port 81
	check_equal "only those" "$(lines server)" "$(added 1)"
}

# start_servers: listeners on ports 80 and 81, both families
start_servers()
{
	ip netns exec server busybox httpd -f -p '[::]:80' -h / &
	ip netns exec server busybox httpd -f -p '[::]:81' -h / &
	disown -a
	wait_for 5 listening server 80
	wait_for 5 listening server 81
}

# half_open ADDRESS PORT: a client that never hears the SYN-ACK
half_open()
{
	ip netns exec client timeout 60 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null &
	disown
}

# flow_count N: are there that many flows?
flow_count()
{
	# shellcheck disable=SC2317 # for check and wait_for
	[ "$(json server length flow show)" -eq "$1" ]
}

make_flows()
{
	in_ns client nft -f - <<-END
		table inet deaf {
			chain input {
				type filter hook input priority 0; policy accept;
				tcp flags & (syn | ack) == (syn | ack) drop
			}
		}
	END
	threeway -n server claim add passive port 81 isn fixed:1000 rto_initial_ms 60000
	start_servers
	half_open 192.0.2.1 80
	half_open 192.0.2.1 81
	half_open 2001:db8::1 80
	half_open 2001:db8::1 81
	wait_for 5 flow_count 4
}

test_flow_show()
{
	make_flows
	check "4 half-open flows" flow_count 4
	check_equal "flows_opened: the engine did it" "$(counter flows_opened server)" 4
	check_equal "JSON: addresses and ports" \
		"$(json server 'map([.local, .port, .remote]) | sort' flow show)" \
		'[["192.0.2.1",80,"192.0.2.2"],["192.0.2.1",81,"192.0.2.2"],["2001:db8::1",80,"2001:db8::2"],["2001:db8::1",81,"2001:db8::2"]]'
	check_equal "JSON: states" "$(json server '[.[].state] | unique' flow show)" '["SYN-RECEIVED"]'
	check_equal "JSON: claims" "$(json server '[.[] | select(.port == 81).claim] | unique' flow show)" \
		"[$(claim_id server 81)]"
	check_equal "JSON: ISS and SND.NXT" \
		"$(json server '[.[] | select(.port == 81) | .iss, .snd_nxt] | unique' flow show)" '[1000,1001]'
	check_equal "JSON: RCV.NXT is IRS + 1" \
		"$(json server '[.[] | (.rcv_nxt - .irs) % 4294967296] | unique' flow show)" '[1]'
	check_equal "JSON: retries left follow the sysctl" \
		"$(json server '[.[] | select(.port == 81).retries_left] | unique' flow show)" \
		"[$(in_ns server cat /proc/sys/net/threeway/synack_retries)]"
	# A SYN that comes again may start the timer anew.
	check_equal "JSON: age and timer agree with rto_initial_ms" "$(json server \
		'map(select(.port == 81) | .timer_ms <= 60000 and .age_ms + .timer_ms >= 60000) | unique' \
		flow show)" '[true]'
	check_equal "text: a title and a line for each" \
		"$(threeway -n server flow show | awk '{ print $1 }' | xargs)" \
		"State SYN-RECEIVED SYN-RECEIVED SYN-RECEIVED SYN-RECEIVED"
	check_equal "text: direction, mode, timer and lifetime" "$(threeway -n server flow show port 81 |
		awk 'NR > 1 { print $2, $3, $11, $12 }' | sed 's/,[0-9.minsec]*,[0-9]* /,TIME,N /' | sort -u)" \
		"passive handoff on,TIME,N -"
	check_equal "JSON: direction, mode, frozen" \
		"$(json server 'map([.direction, .mode, .frozen]) | unique' flow show)" \
		'[["passive","handoff",false]]'
	check_equal "text: IPv6 end points" \
		"$(threeway -n server flow show | grep -c '\[2001:db8::1\]:8[01]  *\[2001:db8::2\]:')" 2
	check_equal "text: columns are aligned" "$(threeway -n server flow show |
		awk '{ print index($0, $5) }' | sed 1d | sort -u | wc -l)" 1
	check_equal "claim show -s counts them" "$(json server '[.[] | .flows, .opened]' claim show)" \
		'[2,2,2,2]'
}

# filtered COUNT WORDS...
filtered()
{
	check_equal "flow show ${*:2}" "$(json server length flow show "${@:2}")" "$1"
}

test_flow_filter()
{
	local id port

	id=$(json server '.[0].id' flow show)
	port=$(json server '.[0].remote_port' flow show)
	filtered 4 all
	filtered 4 state syn-received
	filtered 2 local 192.0.2.0/24
	filtered 0 local 192.0.3.0/24
	filtered 2 remote 2001:db8::2
	filtered 0 remote 2001:db8::3
	filtered 2 port 81
	filtered 4 port 80-81
	filtered 0 port 82
	filtered 1 remote_port "$port" id "$id"
	filtered 0 remote_port "$((port - 1))" id "$id"
	filtered 2 claim "$(claim_id server 81)"
	filtered 1 local any remote 192.0.2.2 port 80 claim "$(claim_id server 80)"
	filtered 1 id "$id"
	check_equal "-6 flow show" "$(json server length -6 flow show port 80)" 1
}

# The client of a killed flow sends its SYN again, and gets a new flow.
test_flow_kill()
{
	local id count

	id=$(json server '.[0].id' -4 flow show port 80)
	check "flow kill" threeway -n server -4 flow kill port 80
	check_equal "flow kill: that flow is gone" "$(json server length flow show id "$id")" 0
	check_equal "flow kill: counted" "$(counter flows_killed server)" 1
	fails "flow kill: nothing matches" 1 "flow kill: no flow matches" \
		-n server flow kill id "$id"
	threeway -n server claim flush
	count=$(json server length flow show)
	check "flows live on without their claim" test "$count" -ge 3
	check_equal "flow kill all, with -echo" "$(json server length -e flow kill all)" "$count"
	check "flow kill all: none left" flow_count 0
	check "flow kill all: none is no error" threeway -n server flow kill all
	check_equal "no flows: no output" "$(threeway -n server flow show)" ""
}

# busy_client: connections of the client that the engine sees, one after the other
# shellcheck disable=SC2317 # another shell runs it
busy_client()
{
	while :; do
		(exec 3<>/dev/tcp/192.0.2.1/80) &
		sleep 0.2
		kill $!
	done 2>/dev/null
}

# opened STATUS FILTER RESULT WORDS...: the client opens a connection
opened()
{
	local json status=0

	json=$(in_ns client threeway -json open 192.0.2.1 port 80 "${@:4}" wait 20) || status=$?
	check_equal "open ${*:4} wait" "$status $(jq -c "$2" <<<"$json")" "$1 $3"
}

# What others do in the namespace is no reason to wait any longer.
test_open_wait()
{
	local busy

	threeway -n client claim add active port 80
	ip netns exec client bash -c "$(declare -f busy_client); busy_client" &
	busy=$!
	SECONDS=0
	opened 0 '.[0] | [.state, .frozen]' '["SYN-SENT",true]' freeze syn-sent
	check "open wait: at once" test "$SECONDS" -lt $((5 * patience))
	opened 1 '.[0] | [.state, .counter]' '["CLOSED","flows_timed_out"]' \
		syn_retries 1 rto_initial_ms 100
	opened 3 '.[0] | [.state, .frozen]' '["SYN-SENT",false]' rto_initial_ms 60000
	kill "$busy"
	wait "$busy"
	threeway -n client claim flush
	threeway -n client flow kill all
}

test_stat()
{
	local proc

	proc=$(in_ns server cat /proc/net/threeway/stat)
	check_equal "stat show all is what the module tells" \
		"$(threeway -n server stat show all | awk '{ print $1, $2 }')" \
		"$(awk '{ print $1, $2 }' <<<"$proc")"
	check_equal "-s stat show shows all" "$(threeway -n server -s stat show)" \
		"$(threeway -n server stat show all)"
	check_equal "stat show leaves out zeros" \
		"$(threeway -n server stat show | awk '{ print $1, $2 }')" \
		"$(awk '$2 != 0 { print $1, $2 }' <<<"$proc")"
	check_equal "stat show NAME" "$(threeway -n server stat show flows_opened | xargs)" \
		"flows_opened $(counter flows_opened server)"
	check_equal "stat show PATTERN" "$(json server '.[0] | keys' stat show 'native_m[di]*')" \
		'["native_md5","native_migrate","native_min_ttl"]'
	check_equal "stat show, JSON" "$(json server '.[0].flows_opened' stat show)" \
		"$(counter flows_opened server)"
}

test_namespaces()
{
	threeway -n server claim add passive port 80
	check_equal "-netns PATH" "$(threeway -n /run/netns/server claim show | wc -l)" 1
	check_equal "-netns: not in the other namespace" "$(threeway -n client claim show)" ""
	check_equal "-netns: not here" "$(threeway claim show)" ""
	check_equal "ip netns exec" "$(ip netns exec server threeway -j claim show)" \
		"$(threeway -n server -j claim show)"
	check_equal "root of a user namespace, in its own network namespace" \
		"$(unshare --user --map-root-user --net \
			threeway -e claim add passive port 80 | sed 's/ *#.*//')" \
		"passive local any port 80 remote any mode handoff"
	out=$(setpriv --bounding-set=-net_admin threeway claim show 2>&1)
	check_equal "EPERM without CAP_NET_ADMIN" "$? $out" \
		"2 threeway: cannot open /dev/threeway: Operation not permitted (CAP_NET_ADMIN over the network namespace is needed, run as root)"
	threeway claim show >/dev/full 2>"$scratch"
	check_equal "full disk, no claims: nothing to write" "$? $(cat "$scratch")" "0 "
	threeway -n server claim show >/dev/full 2>"$scratch"
	check_equal "full disk" "$? $(cat "$scratch")" \
		"1 threeway: cannot write the output: No space left on device"
}

test_no_module()
{
	check "the module goes" unload_module
	fails "no module" 2 \
		"cannot open /dev/threeway: No such file or directory (load the module: modprobe threeway, or insmod threeway.ko)" \
		claim show
	load_module
	check_equal "the module is back, without claims" "$(threeway claim show)" ""
}

need_root
load_module
scratch=$(mktemp)
trap 'teardown_ns; rm -f "$scratch"' EXIT
setup_ns server client

tap_plan 96
test_claim_show
test_claim_json
test_claim_round_trip
test_claim_errors
test_claim_del
test_flow_show
test_flow_filter
test_flow_kill
test_open_wait
test_stat
test_namespaces
test_no_module
finish
