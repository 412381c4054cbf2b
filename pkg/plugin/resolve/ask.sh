# Asks DNS questions with what the image has: dig, else nslookup (of bind or of BusyBox), else getent. For any sh; writes no files.
#
# Standard input: a line that marks this program's own lines of output, so that no answer can pass for one, and then
#   lane SERVER QUESTION…   questions to be asked one after the other. SERVER is an address, or - for those of resolv.conf
#   go                      asks all lanes since the last go at the same time; ends with MARK done
#   end
# A QUESTION is ID/NAME/TYPE/HOW/ADDRESS: HOW has t for TCP, s for the search path; ADDRESS is what a PTR question is about.
#
# Standard output: MARK tool NAME, resolv.conf, MARK ready; for each answer, or in one piece for a lane of dig's,
#   MARK ask ID…, what the tool printed, MARK end EXIT-CODE [SECONDS SECONDS] with the machine's clock before and after.
# shellcheck shell=sh disable=SC2086 # what is split here is split on purpose, without globbing
set -f
IFS= read -r mark || exit 1
wait=2

tool=none
for try in dig nslookup getent; do
  if command -v $try >/dev/null 2>&1; then
    tool=$try
    break
  fi
done
if [ $tool = nslookup ]; then
  case $(nslookup --help 2>&1 </dev/null) in
    *BusyBox*-type=*) tool=busybox-nslookup ;;
    *BusyBox*) tool=old-nslookup ;;
  esac
fi
limit=
if [ $tool = getent ] && command -v timeout >/dev/null 2>&1; then limit='timeout 6'; fi

echo "$mark tool $tool"
resolv=
while read -r key value || [ -n "$key" ]; do
  echo "$key $value"
  case $key in search | domain) resolv=$value ;; esac
done 2>/dev/null </etc/resolv.conf
echo "$mark ready"

# split QUESTION  sets id, name, type, how, address.
split() {
  IFS=/
  set -- $1
  unset IFS
  id=$1 name=$2 type=$3 how=$4 address=$5
}

# now  sets clock: seconds with hundredths, where there is a /proc.
now() { read -r clock _ 2>/dev/null </proc/uptime || clock=; }

# ask_lane SERVER QUESTION…
ask_lane() {
  server=$1
  shift
  [ "$server" != - ] || server=
  if [ $tool = dig ]; then
    ids='' args=''
    for question; do
      split "$question"
      ids="$ids $id" args="$args $name $type"
      case $how in *t*) args="$args +tcp" ;; esac
      case $how in *s*) args="$args +search" ;; esac
    done
    echo "$mark ask$ids"
    dig -u ${server:+"@$server"} +noall +comments +question +answer +authority +stats +time=$wait +tries=1 $args
    echo "$mark end $?"
    return
  fi
  for question; do
    split "$question"
    echo "$mark ask $id"
    now
    before=$clock
    one
    code=$?
    now
    echo "$mark end $code $before $clock"
  done
}

# one  asks one question; 69 says that the tool can't.
one() {
  case $tool/$how in
    nslookup/*t*) nslookup -vc -debug -timeout=$wait -retry=0 "-type=$type" "$name" $server ;;
    nslookup/*) nslookup -debug -timeout=$wait -retry=0 "-type=$type" "$name" $server ;;
    */*t*) return 69 ;;
    busybox-nslookup/*s*) # follows the search path only for names without a dot
      for domain in $resolv ''; do
        nslookup "-type=$type" "$name.$domain" $server && return 0
      done
      return 1
      ;;
    busybox-nslookup/*) nslookup "-type=$type" "$name" $server ;;
    old-nslookup/*)
      case $type in
        A | AAAA) nslookup "$name" $server ;;
        PTR) nslookup "$address" $server ;;
        *) return 69 ;;
      esac
      ;;
    getent/*)
      [ -z "$server" ] || return 69
      RES_OPTIONS="timeout:$wait attempts:1"
      export RES_OPTIONS
      case $type in
        A) $limit getent ahostsv4 "$name" ;;
        AAAA) $limit getent ahostsv6 "$name" ;;
        PTR) $limit getent hosts "$address" ;;
        *) return 69 ;;
      esac
      ;;
    *) return 69 ;;
  esac
}

# Lanes run side by side in one pipeline, so that their output comes out whole without a file: each keeps its own until it has it
# all, and then lets through what the others have.
run_lane() {
  out=$(ask_lane $1 2>&1 </dev/null)
  printf '%s\n' "$out"
  cat
}
run_lanes() {
  lane=$1
  shift
  if [ $# -gt 0 ]; then
    run_lanes "$@" | run_lane "$lane"
  else
    run_lane "$lane" </dev/null
  fi
}

set --
while IFS= read -r line; do
  case $line in
    lane\ *) set -- "$@" "${line#lane }" ;;
    go)
      [ $# -eq 0 ] || run_lanes "$@" </dev/null
      echo "$mark done"
      set --
      ;;
    *) break ;;
  esac
done
