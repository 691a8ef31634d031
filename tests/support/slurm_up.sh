#!/bin/bash
# Bring up a real Slurm of its own in a folder, as root, beside any other; a second call changes
# nothing. Everything it writes and all of its sockets are below that folder.
#
#     slurm_up.sh FOLDER        then: export SLURM_CONF=FOLDER/etc/slurm.conf
#
#   SLURM_UP_NODES=2    emulated nodes n1, n2, ... (a slurmd each)
#   SLURM_UP_CPUS=8     CPUs declared per node; more than the machine has is fine
#   SLURM_UP_MEM=32000  MB declared per node
#   SLURM_UP_GPUS=2     fake GPUs per node: scheduled and counted, CUDA_VISIBLE_DEVICES stays empty
#   SLURM_UP_ACCT=0     1: with accounting (slurmdbd and a private mariadb), so that sacct works
#   SLURM_UP_PORT=6817  first of its ports: controller, slurmdbd +2, nodes +10 and up
set -euo pipefail
HOME_DIR=$(realpath -m "${1:?usage: slurm_up.sh FOLDER}")
NODES=${SLURM_UP_NODES:-2} CPUS=${SLURM_UP_CPUS:-8} MEM=${SLURM_UP_MEM:-32000}
GPUS=${SLURM_UP_GPUS:-2} ACCT=${SLURM_UP_ACCT:-0} PORT=${SLURM_UP_PORT:-6817}
HOST=$(hostname -s)
ETC=$HOME_DIR/etc SPOOL=$HOME_DIR/spool RUN=$HOME_DIR/run LOG=$HOME_DIR/log
MARK='# written by slurm_up.sh'
export SLURM_CONF=$ETC/slurm.conf

say() { echo "slurm_up: $*" >&2; }
wrong_use() { say "$*"; exit 2; }
die() {
  say "$*"
  for f in "$LOG"/*.log; do [ -f "$f" ] && { echo "--- $f" >&2; tail -5 "$f" >&2; }; done
  exit 1
}
wait_for() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) seconds=$1 what=$2
  shift 2
  while [ $SECONDS -le $end ]; do
    timeout 3 "$@" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  die "$what is not ready after $seconds s"
}
alive() { # PIDFILE; a zombie is not
  local p
  p=$(cat "$1" 2>/dev/null) && [ -n "$p" ] && grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$p/status"
}

install_missing() {
  local wanted=() command
  for command in slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client munged:munge; do
    [ -x "$(PATH=$PATH:/usr/sbin command -v "${command%:*}")" ] || wanted+=("${command#*:}")
  done
  if [ "$ACCT" = 1 ]; then
    command -v slurmdbd >/dev/null || wanted+=(slurmdbd)
    command -v mariadbd >/dev/null || wanted+=(mariadb-server)
  fi
  [ ${#wanted[@]} = 0 ] && return
  say "installing ${wanted[*]}"
  # packages start no daemons of their own: this script starts those it needs
  [ -e /usr/sbin/policy-rc.d ] || {
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  }
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
    "${wanted[@]}" >/dev/null
}

start_munge() {
  alive "$RUN/munged.pid" && return
  [ -s "$ETC/munge.key" ] || (umask 077 && head -c 1024 /dev/urandom >"$ETC/munge.key")
  munged --force --key-file="$ETC/munge.key" --socket="$RUN/munge.socket" \
    --pid-file="$RUN/munged.pid" --log-file="$LOG/munged.log" --seed-file="$SPOOL/munge.seed" \
    >/dev/null 2>&1 9>&- || die "munged did not start"
  wait_for 5 munged sh -c "munge -n -S $RUN/munge.socket | unmunge -S $RUN/munge.socket"
}

# cred_expire is also how long a requeued job waits before it may start again: 120 s by default.
# squeue keeps ended jobs for MinJobAge, of which a real cluster's default is 300 s.
configuration() {
  cat <<EOC
$MARK
ClusterName=local
SlurmctldHost=$HOST(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$RUN/munge.socket,cred_expire=5
SlurmUser=root
SlurmctldPort=$PORT
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd.%n.pid
SlurmdSpoolDir=$SPOOL/d.%n
StateSaveLocation=$SPOOL/ctld
SlurmctldLogFile=$LOG/slurmctld.log
SlurmdLogFile=$LOG/slurmd.%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=2000
GresTypes=gpu
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MaxArraySize=1001
MaxJobCount=20000
MinJobAge=300
KillWait=3
OverTimeLimit=0
JobRequeue=1
InactiveLimit=0
ReturnToService=2
SlurmdTimeout=30
MessageTimeout=20
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
EOC
  if [ "$ACCT" = 1 ]; then
    printf 'AccountingStorageType=accounting_storage/slurmdbd\n'
    printf 'AccountingStorageHost=127.0.0.1\nAccountingStoragePort=%s\n' $((PORT + 2))
    printf 'AccountingStoragePass=%s\n' "$RUN/munge.socket"
  else
    printf 'AccountingStorageType=accounting_storage/none\n'
  fi
  local i gres=
  [ "$GPUS" -gt 0 ] && gres=" Gres=gpu:$GPUS"
  for ((i = 1; i <= NODES; i++)); do
    printf 'NodeName=n%s NodeHostname=%s NodeAddr=127.0.0.1 Port=%s CPUs=%s RealMemory=%s%s\n' \
      "$i" "$HOST" $((PORT + 9 + i)) "$CPUS" "$MEM" "$gres"
  done
  local rest='Nodes=ALL MaxTime=INFINITE DefaultTime=60 State=UP OverSubscribe=NO'
  printf 'PartitionName=main Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=5 %s\n' "$rest"
  printf 'PartitionName=high Default=NO PriorityTier=10 PreemptMode=OFF %s\n' "$rest"
}

write_configuration() {
  local new g
  new=$(mktemp)
  configuration >"$new"
  if [ -e "$SLURM_CONF" ] && ! cmp -s "$new" "$SLURM_CONF"; then
    wrong_use "$SLURM_CONF is of another configuration: slurm_down.sh $HOME_DIR --purge first"
  fi
  install -m 644 "$new" "$SLURM_CONF"
  rm -f "$new"
  : >"$ETC/gres.conf"
  if [ "$GPUS" -gt 0 ]; then
    for ((g = 0; g < GPUS; g++)); do : >"$SPOOL/gpu$g"; done
    echo "Name=gpu File=$SPOOL/gpu[0-$((GPUS - 1))]" >"$ETC/gres.conf"
  fi
}

start_mariadb() {
  alive "$RUN/mysqld.pid" && return
  if [ ! -d "$SPOOL/mysql/mysql" ]; then
    mkdir -p "$SPOOL/mysql"
    mysql_install_db --no-defaults --user=root --datadir="$SPOOL/mysql" --skip-test-db \
      --auth-root-authentication-method=socket >"$LOG/mysql_install.log" 2>&1 ||
      die "mysql_install_db failed"
  fi
  setsid mariadbd --no-defaults --user=root --datadir="$SPOOL/mysql" --skip-networking \
    --socket="$RUN/mysqld.sock" --pid-file="$RUN/mysqld.pid" --innodb-buffer-pool-size=32M \
    --innodb-log-file-size=16M --innodb-lock-wait-timeout=900 \
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \
    >"$LOG/mysqld.log" 2>&1 9>&- </dev/null &
  wait_for 20 mariadb mysqladmin --no-defaults --socket="$RUN/mysqld.sock" ping
}

start_accounting() {
  start_mariadb
  install -m 600 /dev/stdin "$ETC/slurmdbd.conf" <<EOC
AuthType=auth/munge
AuthInfo=socket=$RUN/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((PORT + 2))
SlurmUser=root
PidFile=$RUN/slurmdbd.pid
LogFile=$LOG/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct
EOC
  alive "$RUN/slurmdbd.pid" || MYSQL_UNIX_PORT=$RUN/mysqld.sock slurmdbd 9>&- || die "slurmdbd"
  wait_for 20 slurmdbd sacctmgr -n show cluster
  [ -n "$(sacctmgr -nP show cluster local format=cluster)" ] ||
    sacctmgr -i add cluster local >/dev/null || die "sacctmgr add cluster"
}

nodes_ready() {
  [ "$(sinfo -h -N -p main -t idle,mix,alloc -o %N | sort -u | wc -l)" = "$NODES" ]
}

start_slurm() {
  local i
  alive "$RUN/slurmctld.pid" || slurmctld 9>&- || die "slurmctld did not start"
  wait_for 15 slurmctld scontrol ping
  for ((i = 1; i <= NODES; i++)); do
    mkdir -p "$SPOOL/d.n$i"
    alive "$RUN/slurmd.n$i.pid" || slurmd -N "n$i" 9>&- || die "slurmd -N n$i did not start"
  done
  for ((i = 0; i < 100; i++)); do
    nodes_ready && return
    [ "$i" = 25 ] && { scontrol update NodeName=ALL State=RESUME 2>/dev/null || true; }
    sleep 0.2
  done
  die "nodes are not ready: $(sinfo -h -N -o '%N=%T' | tr '\n' ' ')"
}

[ "$(id -u)" = 0 ] || wrong_use "a Slurm of one's own needs root"
PATH=$PATH:/usr/sbin:/sbin
if [ -e "$SLURM_CONF" ] && ! grep -qF "$MARK" "$SLURM_CONF"; then
  wrong_use "$SLURM_CONF is someone else's: choose another folder"
fi
mkdir -p "$ETC" "$SPOOL/ctld" "$RUN" "$LOG"
chmod 755 "$HOME_DIR" "$RUN"
exec 9>"$HOME_DIR/lock"
flock -w 120 9 || die "another slurm_up.sh is at it"
started=$(date +%s.%N)
install_missing
write_configuration
start_munge
[ "$ACCT" = 1 ] && start_accounting
start_slurm
say "up in $(awk -v a="$started" -v b="$(date +%s.%N)" 'BEGIN{printf "%.1f", b-a}') s," \
  "$NODES nodes, accounting=$ACCT"
