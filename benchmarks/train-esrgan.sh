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
licences="CC0-1.0, CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0, Unsplash licence"
export OMP_NUM_THREADS=1

train() { # NAME OPTION…
    local name=$1
    shift
    if [ -e "$out/$name/state.pt" ]; then
        upscale train --resume "$out/$name"
    else
        upscale train -o "$out/$name" --data "$photos/train" --valid "$photos/valid" \
            --data-licence "$licences" --batch 4 --hr-patch 96 --warmup 20 --ema 0.99 \
            --precision fp32 --workers 0 "$@"
    fi
}

train psnr --recipe rrdb-psnr --init realsr --batch 8 --accumulate 2 --pixel mse --lr-rate 5e-5 \
    --schedule constant --steps 76 --seed 14
train psnr2 --recipe rrdb-psnr --init "$out/psnr/generator.safetensors" --pixel mse --lr-rate 7e-5 \
    --schedule cosine --steps 1000 --seed 15

# A GAN begins where texture is: near realsr, which shares its root with the PSNR end.
python - "$out/psnr2/generator.safetensors" "$out/start.safetensors" <<'BLEND'
import sys
from pathlib import Path

from upscale.models.checkpoints.convert import read_checkpoint, write_checkpoint
from upscale.models.checkpoints.interpolation import interpolate
from upscale.models.model import ensure_local

psnr, start = map(Path, sys.argv[1:])
write_checkpoint(start, interpolate(read_checkpoint(psnr), read_checkpoint(ensure_local("realsr")), 0.9))
BLEND
train gan --recipe esrgan --init "$out/start.safetensors" --schedule cosine --lr-rate 5e-5 \
    --content none --content-coefficient 0 --lpips-coefficient 1 --pixel-coefficient 0.01 \
    --adversarial-coefficient 0.01 --discriminator srgan --discriminator-rate 2e-4 \
    --reduction-coefficient 2 --grid-coefficient 0.5 --steps 1000 --seed 16

python "$here/embed.py" "rrdb-psnr=$out/psnr2/generator.safetensors" \
    "esrgan=$out/gan/generator.safetensors"
