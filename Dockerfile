# The page of `upscale ui` with the models of the package; see docs/ui.md.
#
#   docker build -t upscale .                               for the CPU
#   docker build -t upscale --build-arg TORCH=cu130 .       for CUDA 13.0
#   docker run -p 127.0.0.1:7860:7860 -e UPSCALE_TOKEN=… upscale
FROM python:3.13-slim

# What opencv-python is linked to.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

# The build of PyTorch: cpu, or a word of uv's --torch-backend such as cu130.
ARG TORCH=cpu
ARG EXTRAS=ui
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE constraints.txt weights.toml ./
COPY upscale upscale
RUN pip install --no-cache-dir uv \
    && uv pip install --system --no-cache --torch-backend="$TORCH" -c constraints.txt ".[$EXTRAS]" \
    && rm -rf /src/*

RUN useradd --create-home --uid 1000 upscale
USER upscale
WORKDIR /home/upscale
ENV UPSCALE_CACHE=/home/upscale/cache

# More models than those of the package, such as "realesrgan realesrgan-anime".
ARG MODELS=""
RUN mkdir -p "$UPSCALE_CACHE" && for model in $MODELS; do upscale models pull "$model"; done

EXPOSE 7860
# Other machines reach it, so it starts with a token only: the variable UPSCALE_TOKEN.
CMD ["upscale", "ui", "--host", "0.0.0.0"]
