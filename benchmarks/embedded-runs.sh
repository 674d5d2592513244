# What the trainings of embedded weights have in common; sourced by train-embedded.sh and
# train-esrgan.sh.

licences="CC0-1.0, CC-BY-4.0, CC-BY-SA-3.0, CC-BY-SA-4.0, Unsplash licence"
export OMP_NUM_THREADS=1

train() { # RUN OPTION…: begin the run, or resume it
    if [ -e "$1/state.pt" ]; then
        upscale train --resume "$1"
    else
        upscale train -o "$1" --data-licence "$licences" --precision fp32 --ema 0.99 "${@:2}"
    fi
}
