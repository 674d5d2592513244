# /// script
# requires-python = ">=3.11"
# dependencies = ["upscale", "onnx", "onnxruntime", "openvino", "ncnn", "pnnx"]
# ///
"""Measure the networks beside other engines on one thread of a CPU, in float32.

    python benchmarks/peers.py [SIDE [ROUNDS [NETWORK…]]]

An engine that is not installed is left out. The same weights run in PyTorch, as they are and as
the program streams them (with `--engine torch` and `--engine ncnn`), in ONNX Runtime, OpenVINO
(told to stay in float32) and ncnn, with and without its Winograd convolutions, on one picture of
SIDE² pixels (256). Each result differs from PyTorch's by less than 1e-3, or the run ends. The
engines take turns, ROUNDS times (7); a figure is the median of the processor's seconds, in which
other work on the machine does not count: one thread is measured.
"""

import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from upscale.models.loading import load_model
from upscale.networks.ncnn.steps import in_ncnn
from upscale.networks.spec import build, unprojected
from upscale.networks.streaming.bands import rows_in_cache
from upscale.networks.streaming.program import trace
from upscale.networks.streaming.stream import Stream
from upscale.upscaling.tuning import tune

Run = Callable[[], "np.ndarray | Tensor"]
"""Takes a picture through a network: (1, 3, H, W), RGB in [0, 1]."""

NETWORKS = {
    "SRResNet": "srgan",
    "compact": "realesr-general",
    "RRDBNet-23": "realesrgan",
}
"""The models whose weights are taken; the network alone, without a back-projection."""

CLOSE = 1e-3


class Bare(nn.Module):
    """A network whose parameters are no longer trained; what exporters trace."""

    def __init__(self, name: str) -> None:
        super().__init__()
        model = load_model(name, device="cpu", precision="fp32")
        self.network = build(unprojected(model.spec))
        self.network.load_state_dict(model.state)
        self.network.to(memory_format=torch.channels_last)
        self.eval().requires_grad_(False)

    def forward(self, lr: Tensor) -> Tensor:
        sr: Tensor = self.network(lr)
        return sr


def pytorch(bare: Bare, lr: Tensor, folder: Path) -> Run:
    return lambda: bare(lr)


def stream(bare: Bare, lr: Tensor, folder: Path, *, with_ncnn: bool = False) -> Run:
    program = trace(bare.network)
    if with_ncnn:
        program = in_ncnn(program)
    height, width = lr.shape[-2:]

    def run() -> Tensor:
        return torch.cat(list(Stream(program, height, rows_in_cache(width)).feed(lr)), -2)

    return run


def exported(bare: Bare, lr: Tensor, folder: Path) -> Path:
    path = folder / "network.onnx"
    if not path.exists():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter without Dynamo is deprecated
            torch.onnx.export(bare, (lr,), str(path), opset_version=17, dynamo=False)
    return path


def onnx_runtime(bare: Bare, lr: Tensor, folder: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = str(exported(bare, lr, folder))
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: lr.contiguous().numpy()}
    return lambda: session.run(None, feed)[0]


def openvino(bare: Bare, lr: Tensor, folder: Path) -> Run:
    import openvino

    config = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 1}
    compiled = openvino.Core().compile_model(str(exported(bare, lr, folder)), "CPU", config)
    request, data = compiled.create_infer_request(), lr.contiguous().numpy()
    return lambda: request.infer({0: data})[0]


def ncnn(bare: Bare, lr: Tensor, folder: Path, *, winograd: bool = True) -> Run:
    import ncnn
    import pnnx

    inputs, path = lr.contiguous(), folder / "network.pt"
    torch.jit.trace(bare, inputs).save(path)
    shape = f"inputshape={[*lr.shape]}f32".replace(" ", "")
    command = [pnnx.EXEC_PATH, str(path), shape, "fp16=0"]
    subprocess.run(command, check=True, capture_output=True)
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    net.opt.use_winograd_convolution = winograd
    net.load_param(str(folder / "network.ncnn.param"))
    net.load_model(str(folder / "network.ncnn.bin"))
    data = inputs[0].numpy()

    def run() -> np.ndarray:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(data))
        return np.array(extractor.extract("out0")[1])[None]

    return run


ENGINES: dict[str, tuple[Callable[[Bare, Tensor, Path], Run], str]] = {
    "PyTorch": (pytorch, "torch"),
    "PyTorch, streamed": (stream, "torch"),
    "PyTorch and ncnn, streamed": (partial(stream, with_ncnn=True), "ncnn"),
    "ONNX Runtime": (onnx_runtime, "onnxruntime"),
    "OpenVINO": (openvino, "openvino"),
    "ncnn": (ncnn, "ncnn"),
    "ncnn, no Winograd": (partial(ncnn, winograd=False), "ncnn"),
}
"""How each engine is made ready, and the package that it needs."""


def measure(name: str, side: int, rounds: int) -> dict[str, float]:
    """Return the median of the processor's seconds by engine."""
    bare = Bare(name)
    generator = torch.Generator().manual_seed(0)
    lr = torch.rand(1, 3, side, side, generator=generator)
    lr = lr.contiguous(memory_format=torch.channels_last)
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        there = {
            engine: make(bare, lr, Path(folder))
            for engine, (make, package) in ENGINES.items()
            if importlib.util.find_spec(package)
        }
        expected = torch.as_tensor(there["PyTorch"]())
        for engine, run in there.items():  # the first run is slower
            worst = (torch.as_tensor(run()) - expected).abs().max().item()
            if worst > CLOSE:
                sys.exit(f"{engine}: differs from PyTorch by {worst:.1e}")
        for _ in range(rounds):
            for engine, run in there.items():
                begin = time.process_time()
                run()
                seconds.setdefault(engine, []).append(time.process_time() - begin)
    return {engine: statistics.median(times) for engine, times in seconds.items()}


def main() -> None:
    side, rounds = (int(word) for word in sys.argv[1:3] + ["256", "7"][len(sys.argv[1:3]) :])
    tune()
    torch.set_num_threads(1)
    print(f"| network, {side}² | {' | '.join(ENGINES)} |")
    print(f"| --- |{' ---: |' * len(ENGINES)}")
    for title in sys.argv[3:] or NETWORKS:
        found = measure(NETWORKS[title], side, rounds)
        own = found.pop("PyTorch")
        others = [f"{found[each] / own:.2f}" if each in found else "–" for each in [*ENGINES][1:]]
        print(f"| {title} | {' | '.join([f'{own:.2f} s', *others])} |", flush=True)


if __name__ == "__main__":
    main()
