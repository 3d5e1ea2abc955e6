#!/usr/bin/env bash
# A real SLURM of one node on this machine, with accounting and two pretend GPUs, to try the shipped profile on.
#
#   tests/cluster/single_node.sh install install what is missing (Debian, as root)
#   tests/cluster/single_node.sh start   the same, then configure, start, and wait until it answers
#   tests/cluster/single_node.sh stop    stop it and take its configuration away
#   tests/cluster/single_node.sh check   say whether `start` could work here, without changing anything
#
# It never touches a SLURM that somebody else configured. Its state lies in /var/lib/lossproof-slurm.
set -euo pipefail

STATE=/var/lib/lossproof-slurm
# The executor plugin deletes SLURM_* variables, SLURM_CONF among them: only the default place is read.
CONFIG=/etc/slurm
SOCKET=/run/mysqld/mysqld.sock
MARK="# Made by single_node.sh of lossproof; 'single_node.sh stop' removes it."
PACKAGES=(slurm-wlm slurmdbd munge mariadb-server)
DAEMONS=(munged mariadbd mariadb-install-db slurmdbd slurmctld slurmd sacctmgr)

fail() {
  echo "single_node.sh: $*" >&2
  exit 1
}

running() {
  local name
  for name in slurmctld slurmd slurmdbd mariadbd; do
    pgrep -x "$name" > /dev/null && return
  done
  return 1
}

missing() {
  local name
  for name in "${DAEMONS[@]}"; do
    command -v "$name" > /dev/null || return 0
  done
  return 1
}

check() {
  [ "$(id -u)" = 0 ] || fail "needs root"
  [ -c /dev/tty0 ] && [ -c /dev/tty1 ] || fail "needs /dev/tty0 and /dev/tty1 to pretend that they are GPUs"
  if [ -e "$CONFIG/slurm.conf" ] && ! grep -qF "$MARK" "$CONFIG/slurm.conf"; then
    fail "$CONFIG/slurm.conf is somebody else's"
  fi
  if running && ! [ -d "$STATE" ]; then
    fail "SLURM or a database runs here already"
  fi
  if missing; then
    command -v apt-get > /dev/null || fail "needs ${PACKAGES[*]}, and there is no apt-get to install them"
  fi
}

install() {
  missing || return 0
  export DEBIAN_FRONTEND=noninteractive
  # Debian starts a service when its package is installed: not here.
  local policy=/usr/sbin/policy-rc.d
  if ! [ -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap "rm -f '$policy'" EXIT
  fi
  local quick=(-o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30)
  timeout 300 apt-get "${quick[@]}" --quiet --quiet update
  timeout 900 apt-get "${quick[@]}" --quiet --quiet --yes --no-install-recommends install "${PACKAGES[@]}" > /dev/null
}

# Wait up to a minute until a command succeeds.
await() {
  local name=$1
  shift
  for _ in $(seq 240); do
    "$@" > /dev/null 2>&1 && return
    sleep 0.25
  done
  tail -n 20 "$STATE"/log/*.log >&2 || true
  fail "$name does not answer"
}

configure() {
  local node
  node=$(hostname -s)
  mkdir -p "$STATE"/{log,spool,controller,database} "$CONFIG" /run/mysqld
  chown slurm: "$STATE"/{log,controller}
  chown mysql: "$STATE/database" /run/mysqld
  cat > "$CONFIG/slurm.conf" << END
$MARK
ClusterName=lossproof
SlurmctldHost=$node(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
StateSaveLocation=$STATE/controller
SlurmdSpoolDir=$STATE/spool
SlurmctldLogFile=$STATE/log/slurmctld.log
SlurmdLogFile=$STATE/log/slurmd.log
SlurmctldPidFile=$STATE/controller/slurmctld.pid
SlurmdPidFile=$STATE/spool/slurmd.pid
# No cgroups: containers have none to give
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1000
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=2
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStorageTRES=gres/gpu
# The name of a job's rule is in its comment
AccountingStoreFlags=job_comment
MinJobAge=300
KillWait=5
SchedulerParameters=batch_sched_delay=0
GresTypes=gpu
NodeName=$node NodeAddr=127.0.0.1 $(slurmd -C | grep -o 'CPUs=.*') Gres=gpu:2 State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
END
  echo "NodeName=$node Name=gpu File=/dev/tty[0-1]" > "$CONFIG/gres.conf"
  cat > "$CONFIG/slurmdbd.conf" << END
$MARK
DbdHost=localhost
SlurmUser=slurm
AuthType=auth/munge
StorageType=accounting_storage/mysql
StorageUser=slurm
StorageLoc=slurm_acct_db
LogFile=$STATE/log/slurmdbd.log
PidFile=$STATE/controller/slurmdbd.pid
END
  chown slurm: "$CONFIG/slurmdbd.conf"
  chmod 600 "$CONFIG/slurmdbd.conf"
}

start() {
  check
  install
  stop
  configure
  # One that runs may serve a key that is gone: only an answer counts.
  if ! munge --no-input > /dev/null 2>&1; then
    mkdir -p /run/munge
    chown munge: /run/munge
    setpriv --reuid munge --regid munge --clear-groups munged
    pgrep -n -x munged > "$STATE/munged.pid"
  fi
  mariadb-install-db --user=mysql --datadir="$STATE/database" --skip-test-db > "$STATE/log/database.log" 2>&1
  setsid mariadbd --no-defaults --user=mysql --datadir="$STATE/database" --socket="$SOCKET" --skip-networking \
    >> "$STATE/log/database.log" 2>&1 < /dev/null &
  await mariadbd mariadb --no-defaults --socket="$SOCKET" --execute 'SELECT 1'
  mariadb --no-defaults --socket="$SOCKET" --execute "CREATE USER slurm@localhost IDENTIFIED VIA unix_socket;
    CREATE DATABASE slurm_acct_db; GRANT ALL ON slurm_acct_db.* TO slurm@localhost;"
  slurmdbd
  await slurmdbd sacctmgr --noheader show cluster
  sacctmgr --immediate add cluster lossproof > /dev/null
  sacctmgr --immediate add account lossproof > /dev/null
  sacctmgr --immediate add user root account=lossproof > /dev/null
  slurmctld
  await slurmctld scontrol ping
  slurmd -N "$(hostname -s)"
  await slurmd sh -c 'sinfo --noheader --states=idle | grep -q .'
  sinfo --format '%P %D node(s), %C CPUs (allocated/idle/other/total), %m MB, %G'
}

stop() {
  local name
  for name in slurmd slurmctld slurmdbd; do
    pkill -x "$name" || true
  done
  [ -d "$STATE" ] || return 0
  [ ! -f "$STATE/munged.pid" ] || kill "$(cat "$STATE/munged.pid")" || true
  pkill -f "mariadbd .*--datadir=$STATE/database" || true
  for _ in $(seq 100); do
    running || break
    sleep 0.1
  done
  rm -rf "$STATE" "$CONFIG"/{slurm,gres,slurmdbd}.conf
}

case "${1:-}" in
  install)
    check
    install
    ;;
  start) start ;;
  stop)
    check
    stop
    ;;
  check) check ;;
  *) fail "install, start, stop or check?" ;;
esac
