#!/usr/bin/env bash
#SBATCH --job-name=ablations
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
# A study on several nodes of a SLURM cluster:  sbatch docs/slurm.sh claims --scale paper --time-limit 23h30m
# Submit it from the project's folder, on a disk that all nodes share. The same command again goes on where it stopped.
set -euo pipefail
export RAY_USAGE_STATS_ENABLED=0 PATH="$PWD/.venv/bin:$PATH"
port=${RAY_PORT:-6379}
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")

on() { srun --nodes=1 --ntasks=1 --overlap --nodelist="$1" "${@:2}"; }

head=$(on "${nodes[0]}" hostname --ip-address | awk '{print $1}')
ray get-auth-token --generate > /dev/null  # who does not have it is refused
on "${nodes[0]}" ray start --head --node-ip-address="$head" --port="$port" --num-cpus="$SLURM_CPUS_PER_TASK" \
    --include-dashboard=false --block &
until ray status --address "$head:$port" > /dev/null 2>&1; do sleep 2; done
for node in "${nodes[@]:1}"; do
    on "$node" ray start --address "$head:$port" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
done
ablate run "$@" --executor ray --address "$head:$port"
