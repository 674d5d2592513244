#!/usr/bin/env bash
# Train compact-psnr again, and put it into upscale/embedded/.
#
#     benchmarks/compact-psnr.sh PHOTOS OUT
#
# PHOTOS holds train/, which docs/embedded.md describes; OUT gets the run. That page also states where
# the embedded weights' run differed from these lines. An unfinished run is resumed.
set -euo pipefail
photos=$1/train out=$2
here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1
mkdir -p "$out"
python "$here/compact/teacher.py" "$photos" "$out/teacher.bin" 885
python "$here/compact/train.py" "$out/run" --photos "$photos" --teacher "$out/teacher.bin"
python "$here/embed.py" "compact-psnr=$out/run/average.safetensors"
