#!/usr/bin/env bash
# Train rrdb-psnr and esrgan in upscale/embedded/ again, and put them there.
#
#     benchmarks/train-esrgan.sh PHOTOS OUT
#
# PHOTOS holds train/ and valid/, which docs/embedded.md describes; it also says what the embedded
# weights took, and where their runs differed from these lines. Each run trains in float32 on one
# thread. Unfinished runs are resumed.
set -euo pipefail
photos=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
source "$here/embedded-runs.sh"

each=(--data "$photos/train" --valid "$photos/valid" --hr-patch 96 --warmup 20 --workers 0)

train "$out/psnr" "${each[@]}" --recipe rrdb-psnr --init realsr --batch 8 --accumulate 2 \
    --pixel mse --lr-rate 5e-5 --schedule constant --steps 76 --seed 14
train "$out/psnr2" "${each[@]}" --recipe rrdb-psnr --init "$out/psnr/generator.safetensors" \
    --batch 4 --pixel mse --lr-rate 7e-5 --schedule cosine --steps 1000 --seed 15

# A GAN begins where texture is: near realsr, which shares its root with the PSNR end.
python - "$out/psnr2/generator.safetensors" "$out/start.safetensors" <<'BLEND'
import sys
from pathlib import Path

from upscale.models.checkpoints.convert import read_checkpoint, write_checkpoint
from upscale.models.checkpoints.interpolation import interpolate
from upscale.models.weights import ensure_local

psnr, start = map(Path, sys.argv[1:])
write_checkpoint(start, interpolate(read_checkpoint(psnr), read_checkpoint(ensure_local("realsr")), 0.9))
BLEND
train "$out/gan" "${each[@]}" --recipe esrgan --init "$out/start.safetensors" --batch 4 \
    --schedule cosine --lr-rate 5e-5 --content none --content-coefficient 0 \
    --lpips-coefficient 1 --pixel-coefficient 0.01 --adversarial-coefficient 0.01 \
    --discriminator srgan --discriminator-rate 2e-4 \
    --reduction-coefficient 2 --grid-coefficient 0.5 --steps 1000 --seed 16

python "$here/embed.py" "rrdb-psnr=$out/psnr2/generator.safetensors" \
    "esrgan=$out/gan/generator.safetensors"
