#!/bin/sh
# The subset of docker that setup and its users need, without a daemon. A container is a process tree in its own mount,
# PID and, unless it shares its host's, network namespaces; its root is the image's. Flags are checked, and errors are
# reported, like docker 28. `exec` runs with the image's environment, not the caller's.
#
#   STATE/registry/KEY, STATE/images/KEY   an image: `root/` is copied, each line of `binds` is a directory of this
#                                          machine to mount (writable with ` rw`), `env` is its environment
#   STATE/containers/NAME/                 a container, with the `pid` and start time of its first process while it runs
#   STATE/down                             exists while the daemon does not answer
state=@STATE@
usage() {
  printf '%s\n\n%s\n\n%s\n' "$1" "Usage:  docker $2 [OPTIONS] $3" "Run 'docker $2 --help' for more information" >&2
  exit 125
}
too_few() {
  printf '%s\n\n%s\n\n%s\n' "docker: 'docker $1' requires $2" "Usage:  docker $1 [OPTIONS] $3" \
    "See 'docker $1 --help' for more information" >&2
  exit 1
}
daemon_says() { echo "Error response from daemon: $1" >&2; exit "${2:-1}"; }
DOWN="Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
up() { [ ! -e "$state/down" ] || { echo "$DOWN" >&2; exit 1; }; }
key() { echo "$1" | tr '/:@' '___'; }
dir_of() {
  c=$state/containers/$1
  [ -d "$c" ] || daemon_says "No such container: $1"
}
started() { cut -d ' ' -f 22 "/proc/$1/stat" 2>/dev/null; }
# Sets `pid`. Another process may have been given the id of a container that has ended, hence the start time.
running() { [ -s "$c/pid" ] && read -r pid start <"$c/pid" && [ "$(started "$pid")" = "$start" ]; }

RUN_ARGS="IMAGE [COMMAND] [ARG...]"
# The command of the container's first process is stored with one argument per line.
run() {
  detach= name= label= network=bridge volumes= entrypoint=
  while [ $# -gt 0 ]; do
    flag=$1
    case "$flag" in
      -d | --detach) detach=1; shift; continue ;;
      --init | --rm) shift; continue ;;
      --name | --label | --gpus | --shm-size | --network | --ipc | --ulimit | -v | --volume | --entrypoint | --device)
        [ $# -gt 1 ] || usage "flag needs an argument: $flag" run "$RUN_ARGS" ;;
      -*) usage "unknown flag: $flag" run "$RUN_ARGS" ;;
      *) break ;;
    esac
    value=$2
    shift 2
    case "$flag" in
      --name) name=$value ;;
      --label) label=${value#taulab.setup=} ;;
      --network) network=$value ;;
      --volume | -v) volumes="$volumes$value
" ;;
      --entrypoint) entrypoint=$value ;;
      --gpus) [ "$value" = all ] || usage "invalid argument \"$value\" for \"--gpus\" flag: unexpected key" run "$RUN_ARGS" ;;
      --shm-size) echo "$value" | grep -Eq '^[0-9]+[bkmgBKMG]?$' ||
        usage "invalid argument \"$value\" for \"--shm-size\" flag: invalid size" run "$RUN_ARGS" ;;
      --ulimit) case "$value" in *=*) ;; *)
        usage "invalid argument \"$value\" for \"--ulimit\" flag: invalid ulimit argument: $value" run "$RUN_ARGS" ;; esac ;;
    esac
  done
  [ $# -gt 0 ] || too_few run "at least 1 argument" "$RUN_ARGS"
  [ ! -e "$state/down" ] || { echo "docker: $DOWN" >&2; exit 125; }
  image=$state/images/$(key "$1")
  [ -d "$image" ] || daemon_says "pull access denied for $1, repository does not exist" 125
  shift
  [ -n "$detach" ] || { echo "the stand-in runs in the background only: --detach" >&2; exit 125; }
  echo "$name" | grep -Eq '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$' ||
    daemon_says "Invalid container name ($name), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed" 125
  c=$state/containers/$name
  [ ! -e "$c" ] || daemon_says "Conflict. The container name \"/$name\" is already in use by container" 125
  echo "$volumes" | while IFS=: read -r from to; do
    case "$from$to" in "") ;; /*) case "$to" in /*) ;; *) exit 1 ;; esac ;; *) exit 1 ;; esac
  done || daemon_says "invalid mount config for type \"bind\": invalid mount path: mount path must be absolute" 125
  mkdir -p "$c"
  cp -a "$image/root" "$c/root"
  : >"$c/root/.dockerenv"
  cp "$image/binds" "$image/env" "$c/"
  printf '%s' "$volumes" >"$c/volumes"
  echo "$network" >"$c/network"
  echo "$label" >"$c/label"
  printf '%s\n' "$entrypoint" "$@" >"$c/words"
  boot && echo "$name"
}

# Becomes the first process of the container, and reaps orphans, like --init.
INIT='
mount --make-rprivate / && mount --bind "$1/root" "$1/root" || exit 1
while read -r d mode; do
  mkdir -p "$1/root$d" && mount --bind "$d" "$1/root$d" || exit 1
  [ "$mode" = rw ] || mount -o remount,bind,ro "$1/root$d" || exit 1
done <"$1/binds"
mkdir -p "$1/root/proc" "$1/root/dev" "$1/root/tmp" && chmod 1777 "$1/root/tmp"
mount -t proc proc "$1/root/proc" && mount --rbind /dev "$1/root/dev" || exit 1
while IFS=: read -r from to; do
  mkdir -p "$from" "$1/root$to" && mount --bind "$from" "$1/root$to" || exit 1
done <"$1/volumes"
: >"$1/booted"
exec /usr/sbin/chroot "$1/root" /usr/bin/env -i $(cat "$1/env") sh -c "cd /; $(tr "\n" " " <"$1/words") & while :; do wait; done"
'
boot() {
  net=--net
  [ "$(cat "$c/network")" != host ] || net=
  rm -f "$c/booted"
  # shellcheck disable=SC2086
  setsid env -i PATH="$PATH" unshare --mount --pid --fork $net sh -c "$INIT" init "$c" </dev/null >"$c/log" 2>&1 &
  outer=$!
  while [ ! -e "$c/booted" ]; do
    kill -0 "$outer" 2>/dev/null || daemon_says "failed to create task for container: $(cat "$c/log")" 125
    sleep 0.02
  done
  read -r pid <"/proc/$outer/task/$outer/children"
  echo "$pid $(started "$pid")" >"$c/pid"
}

START='command -v "$1" >/dev/null && exec "$@"
echo "OCI runtime exec failed: exec failed: unable to start container process: exec: \"$1\": executable file not found in \$PATH: unknown"
exit 127'
# Processes that the command leaves behind continue when the client ends, as with docker.
exec_in() {
  while [ $# -gt 0 ]; do
    case "$1" in
      -i | -t | -it | --interactive | --tty) shift ;;
      -*) usage "unknown flag: $1" exec "CONTAINER COMMAND [ARG...]" ;;
      *) break ;;
    esac
  done
  [ $# -gt 1 ] || too_few exec "at least 2 arguments" "CONTAINER COMMAND [ARG...]"
  up
  dir_of "$1"
  running || daemon_says "container $1 is not running"
  shift
  # shellcheck disable=SC2046
  nsenter --target "$pid" --mount --pid --net --root /usr/bin/env -i --chdir=/ $(cat "$c/env") sh -c "$START" start "$@"
  exit $?
}

inspect() {
  format=
  if [ "$1" = -f ] || [ "$1" = --format ]; then format=$2; shift 2; fi
  [ $# -gt 0 ] || too_few "container inspect" "at least 1 argument" "CONTAINER [CONTAINER...]"
  up
  c=$state/containers/$1
  [ -d "$c" ] || { echo; daemon_says "No such container: $1"; }
  now=false
  ! running || now=true
  mounts=$(sed 's/\(.*\):\(.*\)/{"Source": "\1", "Destination": "\2"}/' "$c/volumes" | paste -sd, -)
  if [ -z "$format" ]; then echo "[{\"Name\": \"/$1\"}]"; return; fi
  sed -e "s|{{.State.Running}}|$now|; s|{{index .Config.Labels \"taulab.setup\"}}|$(cat "$c/label")|" \
    -e "s|{{.HostConfig.NetworkMode}}|$(cat "$c/network")|; s|{{json .Mounts}}|[$mounts]|" <<FORMAT
$format
FORMAT
}

remove() {
  [ "$1" != -f ] || shift
  dir_of "$1"
  ! running || kill -KILL "$pid"
  while running; do sleep 0.02; done
  rm -rf "$c"
  echo "$1"
}

image() {
  case "$1" in
    inspect)
      shift
      [ "$1" != -f ] || shift 2
      [ ! -e "$state/down" ] || echo '[]'
      up
      [ -d "$state/images/$(key "$1")" ] || { echo; daemon_says "No such image: $1"; }
      echo "sha256:$(key "$1" | cksum | tr -d ' ')" ;;
    rm) up; rm -rf "$state/images/$(key "$2")" ;;
  esac
}

case "$1" in
  version) up ;;
  pull)
    [ $# -eq 2 ] || too_few pull "1 argument" "NAME[:TAG|@DIGEST]"
    up
    k=$(key "$2")
    [ -d "$state/registry/$k" ] || daemon_says "pull access denied for $2, repository does not exist or may require 'docker login'"
    mkdir -p "$state/images" && cp -a "$state/registry/$k" "$state/images/$k" ;;
  run) shift; run "$@" ;;
  exec) shift; exec_in "$@" ;;
  start) up; dir_of "$2"; running || boot; echo "$2" ;;
  stop | kill) up; dir_of "$2"; ! running || kill -KILL "$pid"; : >"$c/pid"; echo "$2" ;;
  rm) shift; up; remove "$@" ;;
  image) shift; image "$@" ;;
  container)
    [ "$2" = inspect ] || { echo "docker: unknown command: docker container $2" >&2; exit 1; }
    shift 2
    inspect "$@" ;;
  *) printf "docker: unknown command: docker %s\n\nRun 'docker --help' for more information\n" "$1" >&2; exit 1 ;;
esac
