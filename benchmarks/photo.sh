#!/usr/bin/env bash
# Train photo and photo-faithful again, and put them into upscale/embedded/.
#
#     benchmarks/photo.sh PHOTOS OUT
#
# PHOTOS holds train/, which docs/embedded.md describes; OUT gets the runs. That page also states where
# the embedded weights' runs differed from these lines. Unfinished runs are resumed.
set -euo pipefail
photos=$1/train out=$2
here=$(cd "$(dirname "$0")" && pwd)
export OMP_NUM_THREADS=1
mkdir -p "$out"

train() { # NAME OPTION…
    python "$here/photo/train.py" "$out/$1" --photos "$photos" --teacher "$out/teacher.bin" "${@:2}"
}

python "$here/photo/teacher.py" "$photos" "$out/teacher.bin" 885
train crisp --steps 2000 --rate 1e-4
train faithful --steps 900 --batch 8 --rate 2e-4 --seed 13 --lpips 0 --taught 0.6 --calm 2 --grid 0 \
    --fresh 0.3
python "$here/embed.py" "photo=$out/crisp/average.safetensors" \
    "photo-faithful=$out/faithful/average.safetensors"
