#!/bin/bash
# Stop what slurm_up.sh started in a folder: only processes of its own pid files.
#
#     slurm_down.sh FOLDER [--purge]     --purge removes the folder too
set -u
HOME_DIR=$(realpath -m "${1:?usage: slurm_down.sh FOLDER [--purge]}")
RUN=$HOME_DIR/run
export SLURM_CONF=$HOME_DIR/etc/slurm.conf # scancel must never reach another cluster
grep -qF '# written by slurm_up.sh' "$SLURM_CONF" 2>/dev/null || {
  echo "slurm_down: there is no Slurm of slurm_up.sh in $HOME_DIR" >&2
  exit 2
}

stop() { # PIDFILE
  local pid i
  [ -s "$1" ] || return 0
  pid=$(cat "$1")
  kill "$pid" 2>/dev/null
  for ((i = 0; i < 100; i++)); do
    grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status" || break # a zombie is gone
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null
  rm -f "$1"
}

exec 9>"$HOME_DIR/lock"
flock -w 120 9 || exit 1
if [ -s "$RUN/slurmctld.pid" ] && [ -n "$(timeout 5 squeue -h 2>/dev/null)" ]; then
  timeout 10 scancel -u root 2>/dev/null
  for ((i = 0; i < 60; i++)); do # a job that is left running would outlive its slurmd
    [ -z "$(timeout 5 squeue -h -t running,completing 2>/dev/null)" ] && break
    sleep 0.1
  done
fi
for pidfile in "$RUN"/slurmd.*.pid; do stop "$pidfile"; done
for daemon in slurmctld slurmdbd mysqld munged; do stop "$RUN/$daemon.pid"; done
[ "${2:-}" = --purge ] && rm -rf "$HOME_DIR"
echo "slurm_down: stopped" >&2
