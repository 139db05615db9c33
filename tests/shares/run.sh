#!/usr/bin/env bash
# Backups on real network file systems: each node is a machine of its own (network, mount, process and host name
# namespaces, an address of its own), share and device are reached over the network, and one node is cut off in the
# middle and comes back. Also says what each file system does that the protocol stands on.
#
#   tests/shares/run.sh [sshfs] [gluster]      both where none is named
#   NASBACKUP_SHARES_KEEP=1                    keeps the logs, and what sshfs has stored
#
# Needs root, a build of src/NasBackup.Cli, and the tools named below; says what it skipped and why. Ends by itself
# within NASBACKUP_SHARES_SECONDS (200) and leaves nothing behind. The last lines are one PASSED, FAILED or SKIPPED for
# each file system; exit code 1 where one FAILED.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
runner=${NASBACKUP_RUNNER:-$here/../../src/NasBackup.Cli/bin/Release/net10.0/nasbackup}
facts=$here/facts.pl
limit=${NASBACKUP_SHARES_SECONDS:-200}
[ $# -gt 0 ] || set -- sshfs gluster

tag=nb$$                          # of all namespaces and links that are made here
network=10.217.43                 # it exists in these namespaces only
switch=$tag-sw
nodes=(nas1 nas2 nas3)
declare -A machine                # name → process id of its first process
work='' bystander='' verdicts=()

say() { printf '%s\n' "$*"; }
verdict() { verdicts+=("$1 $kind: $2"); }

# ---- what is needed

missing_tools() {
  local tool list=()
  for tool in "$@"; do PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || list+=("$tool"); done
  [ ${#list[@]} = 0 ] || printf 'needs %s' "${list[*]}"
}

why_not() {
  [ "$(id -u)" = 0 ] || { say 'needs root'; return; }
  [ -x "$runner" ] || { say "needs a build of the runner ($runner)"; return; }
  [ -c /dev/fuse ] || { say 'needs /dev/fuse'; return; }
  local tools=(ip unshare nsenter perl rsync)
  case $1 in
    sshfs) tools+=(sshfs sshd ssh ssh-keygen) ;;
    gluster) tools+=(glusterd gluster glusterfs) ;;
    *) say 'is unknown here'; return ;;
  esac
  missing_tools "${tools[@]}"
}

# ---- machines

in_machine() { local name=$1; shift; nsenter -t "${machine[$name]}" -m -u -n -p -- "$@"; }

add_machine() { # name, last byte of its address
  local name=$1 ns=$tag-$1
  ip netns add "$ns" &&
    ip link add "$tag$2" type veth peer name eth0 netns "$ns" &&
    ip link set "$tag$2" netns "$switch" &&
    ip -n "$switch" link set "$tag$2" master br0 up &&
    ip -n "$ns" addr add "$network.$2/24" dev eth0 &&
    ip -n "$ns" link set eth0 up &&
    ip -n "$ns" link set lo up || return 1
  ip netns exec "$ns" unshare --mount --propagation private --uts --pid --fork --kill-child --mount-proc \
    sh -c "hostname $name; exec sleep $((limit + 30))" 2>/dev/null &
  local outer=$! child='' try
  for try in $(seq 50); do
    child=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null)
    [ -n "$child" ] && [ "$(nsenter -t "${child// /}" -u hostname 2>/dev/null)" = "$name" ] && break
    sleep 0.1
  done
  machine[$name]=${child// /}
  # What daemons keep outside of the work folder goes with the machine.
  in_machine "$name" sh -c 'mount -t tmpfs tmpfs /mnt && mkdir /mnt/net && mount -t tmpfs tmpfs /run && mkdir /run/sshd'
}

start_machines() {
  ip netns add "$switch" && ip -n "$switch" link add br0 type bridge && ip -n "$switch" link set br0 up || return 1
  add_machine server 1 || return 1
  local i
  for i in "${!nodes[@]}"; do add_machine "${nodes[i]}" $((i + 2)) || return 1; done
}

stop_machines() {
  local name
  for name in "${!machine[@]}"; do [ -n "${machine[$name]}" ] && kill -KILL "${machine[$name]}"; done 2>/dev/null
  machine=()
  for name in $(ip netns list 2>/dev/null | grep -o "^$tag-[a-z0-9]*"); do ip netns delete "$name"; done
}

set_link() { ip -n "$switch" link set "$tag$1" "$2"; } # last byte of an address, down or up

# ---- file systems: a folder of the server at /mnt/net of each node

mount_sshfs() {
  ssh-keygen -q -t ed25519 -N '' -f "$work/host" && ssh-keygen -q -t ed25519 -N '' -f "$work/client" || return 1
  printf '%s\n' "ListenAddress $network.1" "HostKey $work/host" "AuthorizedKeysFile $work/client.pub" 'StrictModes no' \
    'UsePAM no' 'PasswordAuthentication no' 'PermitRootLogin prohibit-password' 'Subsystem sftp internal-sftp' >"$work/sshd_config"
  in_machine server /usr/sbin/sshd -f "$work/sshd_config" -E "$work/sshd.log" || return 1
  local node
  for node in "${nodes[@]}"; do
    in_machine "$node" sshfs "root@$network.1:$work/export" /mnt/net -o reconnect,dir_cache=no,ServerAliveInterval=2,ServerAliveCountMax=2 \
      -o "IdentityFile=$work/client,StrictHostKeyChecking=no,UserKnownHostsFile=/dev/null,LogLevel=ERROR,ConnectTimeout=3" || return 1
  done
}

mount_gluster() {
  in_machine server sh -c 'mount -t tmpfs tmpfs /var/log/glusterfs && mount -t tmpfs tmpfs /var/lib/glusterd && glusterd' || return 1
  local node
  {
    for _ in $(seq 40); do in_machine server gluster --mode=script volume list && break; sleep 0.25; done
    # Two bricks, so that names, links and files are not all in one place.
    in_machine server gluster --mode=script volume create net "$network.1:$work/export/brick1" "$network.1:$work/export/brick2" force &&
      in_machine server gluster --mode=script volume set net network.ping-timeout 5 &&
      in_machine server gluster --mode=script volume start net
  } >"$work/gluster.log" 2>&1 || { cat "$work/gluster.log"; return 1; }
  for node in "${nodes[@]}"; do
    in_machine "$node" sh -c "mount -t tmpfs tmpfs /var/log/glusterfs && glusterfs --volfile-server=$network.1 --volfile-id=net /mnt/net" || return 1
    for _ in $(seq 40); do in_machine "$node" grep -q ' /mnt/net fuse' /proc/mounts && break; sleep 0.1; done
  done
}

# ---- what the file system does

seen() {
  local how node start
  for how in create link rename; do
    in_machine nas1 mkdir "/mnt/net/$how"
    start=$(perl -MTime::HiRes=time -e 'printf "%.3f", time + 1.5')
    for node in "${nodes[@]}"; do in_machine "$node" perl "$facts" "$how" "/mnt/net/$how" "$node" "$start" >"$work/$how.$node" & done
    wait_for_jobs
    perl "$facts" judge "$how" "${nodes[@]/#/$work/$how.}" || return 1
  done
  in_machine nas1 mkdir -p /mnt/net/names /mnt/net/listing /mnt/net/content
  in_machine nas1 sh -c 'echo old >/mnt/net/content/file'
  start=$(perl -MTime::HiRes=time -e 'printf "%.3f", time + 1.5')
  in_machine nas2 perl "$facts" watch /mnt/net >"$work/watched" &
  in_machine nas1 perl "$facts" make /mnt/net - "$start" >"$work/made"
  wait_for_jobs
  perl "$facts" delays "$work/made" "$work/watched"
  in_machine nas1 rm -rf /mnt/net/create /mnt/net/link /mnt/net/rename /mnt/net/names /mnt/net/listing /mnt/net/content
}

# The first processes of the machines are jobs of this shell as well, so not all jobs are waited for.
wait_for_jobs() {
  local id outer=" $(pgrep -P $$ -f 'unshare --mount' | tr '\n' ' ') "
  for id in $(jobs -p); do [[ $outer == *" $id "* ]] || [ "$id" = "$watchdog" ] || wait "$id"; done
}

# ---- the backup

make_source() {
  local i
  mkdir -p "$work/source"/{small,large}
  for i in $(seq 400); do head -c $((i * 17)) /dev/urandom >"$work/source/small/$i"; done
  for i in $(seq 24); do head -c 1000000 /dev/urandom >"$work/source/large/$i"; done
  ln "$work/source/small/7" "$work/source/large/second name"
  ln -s ../small/8 "$work/source/large/link"
  # What a link points to is nobody's business, also where it is there on the server.
  echo bystander >"$work/bystander"
  chmod 751 "$work/bystander"
  touch -d '2020-01-01' "$work/bystander"
  ln -s "$work/bystander" "$work/source/large/out"
  chown -h 4321:4321 "$work/source/large/out" "$work/source/small/9"
  bystander=$(stat -c '%a %u %Y' "$work/bystander")
  # SFTP knows whole seconds only, and nothing of owner and times of a link.
  find "$work/source" -exec touch -h -d '2024-05-06 07:08:09' {} +
}

until_true() { local end=$((SECONDS + $1)); shift; until "$@"; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done; }
# Looked at on the server, which knows at once.
has_begun() { [ "$(find "$work/export" -path '*/device/*' -type f -size +1k 2>/dev/null | wc -l)" -gt 60 ]; }
is_taken_over() { grep -rqs '"kind":"TakenOver"' "$work/export" --include='[0-9]*'; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

back_up() {
  local plan node i since codes=() ids=()
  plan=$(in_machine nas1 "$runner" --json New-NasBackupPlan -Share /mnt/net/share -Path "$work/source" -Destination /mnt/net/device \
    -Node nas1,nas2,nas3 -FailureTimeout 4 2>"$work/plan.log" | perl -ne 'print $1 if /"Id":"([^"]+)"/i')
  [ -n "$plan" ] || { cat "$work/plan.log"; verdict FAILED 'no plan was made'; return; }
  for node in "${nodes[@]}"; do
    in_machine "$node" "$runner" Start-NasNodeBackup -Share /mnt/net/share -PlanId "$plan" -Node "$node" -MaxBytesPerSecond 800000 -Verbose >"$work/$node.log" 2>&1 &
    ids+=($!)
  done
  until_true 30 has_begun || { tail -n 5 "$work"/nas?.log; verdict FAILED 'nothing was copied within 30 s'; return; }
  set_link 4 down
  since=$SECONDS
  until_true 25 is_taken_over || say "$kind: nas3 was cut off, and not taken over within 25 s"
  set_link 4 up
  say "$kind: nas3 was cut off for $((SECONDS - since)) s"
  for i in 0 1 2; do
    until_true 60 is_gone "${ids[i]}" || say "$kind: ${nodes[i]} still runs after 60 s"
    if is_gone "${ids[i]}"; then wait "${ids[i]}"; codes+=($?); else codes+=(running); fi
  done
  say "$kind: exit codes of ${nodes[*]}: ${codes[*]}; complete after $((SECONDS - since)) s"
  judge "$plan" "${codes[*]}"
}

judge() { # plan, exit codes
  local data difference
  data=$(in_machine nas1 "$runner" --json Get-NasBackupSet /mnt/net/device 2>&1 | tee "$work/set.json" | perl -ne 'print $1 if /"DataPath":"([^"]+)"/i')
  [ -n "$data" ] || { tail -n 5 "$work"/nas?.log "$work/set.json"; verdict FAILED 'there is no set'; return; }
  # Where a client does not tell hard links, it is looked at on the server.
  local at=nas1
  if [ "$kind" = sshfs ]; then at=server data=$work/export${data#/mnt/net}; fi
  difference=$(in_machine "$at" rsync -aHnc --delete --itemize-changes "$work/source/" "$data/" 2>&1)
  if [ "$kind" = sshfs ]; then difference=$(grep -v '^\.L[.tog]*  *' <<<"$difference"); fi
  if [ -n "$difference" ]; then
    printf '%s\n' "$difference" | head -n 20
    verdict FAILED 'the set is not the source'
  elif [ "$(stat -c '%a %u %Y' "$work/bystander")" != "$bystander" ]; then
    verdict FAILED 'a file was changed that a link points to'
  elif ! [[ $2 =~ ^0\ 0\ (0|1)$ ]]; then
    tail -n 5 "$work"/nas?.log
    verdict FAILED "exit codes $2"
  elif ! grep -q '"FailedNodes":\["nas3"\]' "$work/set.json"; then
    verdict FAILED 'nas3 was not taken over'
  else
    verdict PASSED "nas3 was cut off, taken over, and came back (exit code ${2##* }); the set is the source (rsync -aHnc)"
  fi
}

one() {
  kind=$1
  local reason
  reason=$(why_not "$kind")
  if [ -n "$reason" ]; then verdict SKIPPED "$reason"; return; fi
  work=$(mktemp -d "${TMPDIR:-/tmp}/nasbackup-shares.XXXXXX")
  mkdir -p "$work/export"
  if ! start_machines; then
    verdict SKIPPED 'needs namespaces of its own (ip netns, unshare), which this system does not give'
  elif ! "mount_$kind"; then
    verdict FAILED 'could not be mounted'
  elif seen; then
    make_source
    back_up
  else
    verdict FAILED 'cannot decide races'
  fi
  tidy
}

tidy() {
  stop_machines
  if [ -n "$work" ] && [ -n "${NASBACKUP_SHARES_KEEP:-}" ]; then
    say "$kind: kept $work"
  elif [ -n "$work" ]; then
    rm -rf "$work"
  fi
  work=''
}

stopped() { verdict FAILED "was stopped after $limit s"; tidy; report; exit 1; }
report() { printf '%s\n' "${verdicts[@]}"; }

kind=all
trap tidy EXIT
trap stopped TERM
(sleep "$limit"; kill -TERM $$) 2>/dev/null &
watchdog=$!
for name in "$@"; do
  started=$SECONDS
  one "$name"
  say "$name: $((SECONDS - started)) s"
done
trap - TERM
sleeper=$(pgrep -P "$watchdog")
kill "$watchdog" $sleeper 2>/dev/null
report
! printf '%s\n' "${verdicts[@]}" | grep -q '^FAILED'
